import { expect, test } from "vitest";
import { bucketsOf, SeriesWindow } from "../src/state/window.ts";

const rows = (window: SeriesWindow) => window.buckets().map((bucket) => [...bucket]);

test("samples of one bucket fold into min, max, mean and count", () => {
  const window = new SeriesWindow(60_000, 1000);
  for (const [time, value] of [
    [5000, 1],
    [5400, 4],
    [5999, 1],
    [6000, 7],
  ] as const) {
    window.push(time, value);
  }
  expect(rows(window)).toEqual([
    [5000, 1, 4, 2, 3],
    [6000, 7, 7, 7, 1],
  ]);
});

test("a late sample finds its bucket, or gets one in its place", () => {
  const window = new SeriesWindow(60_000, 1000);
  for (const time of [1000, 2000, 5000]) window.push(time, time);
  window.push(2500, 10);
  window.push(3500, 99);
  expect(rows(window).map(([time, , , , count]) => [time, count])).toEqual([
    [1000, 1],
    [2000, 2],
    [3000, 1],
    [5000, 1],
  ]);
  expect(rows(window)[2]).toEqual([3000, 99, 99, 99, 1]);
});

test("what is older than the window is dropped, coming and staying", () => {
  const window = new SeriesWindow(10_000, 1000);
  for (let time = 0; time <= 100_000; time += 1000) window.push(time, time);
  window.push(3000, 1);
  expect(window.length).toBeLessThanOrEqual(13);
  expect(rows(window)[0]?.[0]).toBeGreaterThanOrEqual(88_000);
});

test("columns stay right through a million samples of sliding and growing", () => {
  const window = new SeriesWindow(50_000, 100);
  for (let at = 0; at < 1_000_000; at++) window.push(at * 50, at);
  const { time, mean } = window.columns();
  expect(time.at(-1)).toBe((999_999 * 50 - 50) / 1000);
  expect(mean.at(-1)).toBe(999_998.5);
  expect([...time]).toEqual([...time].sort((a, b) => a - b));
  expect(time.length).toBeLessThan(510);
});

test("history and live samples meet: the bucket that saw more stands", () => {
  const window = new SeriesWindow(60_000, 1000);
  for (const time of [3200, 4000, 4500, 5000]) window.push(time, 10);
  window.merge([
    [1000, 1, 1, 1, 2],
    [2000, 2, 2, 2, 2],
    [3000, 3, 9, 6, 2],
    [4000, 4, 4, 4, 1],
  ]);
  expect(rows(window)).toEqual([
    [1000, 1, 1, 1, 2],
    [2000, 2, 2, 2, 2],
    [3000, 3, 9, 6, 2],
    [4000, 10, 10, 10, 2],
    [5000, 10, 10, 10, 1],
  ]);
});

test("merging the same history twice changes nothing", () => {
  const window = new SeriesWindow(60_000, 1000);
  const history = [
    [1000, 1, 3, 2, 2],
    [2000, 2, 2, 2, 2],
  ] as const;
  window.merge(history);
  window.push(3000, 5);
  const once = rows(window);
  window.merge(history);
  expect(rows(window)).toEqual(once);
});

test("a merge changes the version, so that the chart is drawn", () => {
  const window = new SeriesWindow(60_000, 1000);
  const before = window.version;
  window.merge([]);
  expect(window.version).not.toBe(before);
});

test("values that are no numbers are not drawn", () => {
  const window = new SeriesWindow(60_000, 1000);
  window.push(1000, Number.NaN);
  window.push(Number.NaN, 1);
  expect(window.length).toBe(0);
});

test("each metric of a grid has its own buckets; where it has none it has none", () => {
  const rows = [
    [1000, 1, 2, 1.5, 3, 7, 7, 7, 1],
    [2000, null, null, null, null, 8, 9, 8.5, 2],
  ];
  expect(bucketsOf(rows, 0)).toEqual([[1000, 1, 2, 1.5, 3]]);
  expect(bucketsOf(rows, 1)).toEqual([
    [1000, 7, 7, 7, 1],
    [2000, 8, 9, 8.5, 2],
  ]);
});

test("a bucket remembers its worst sample, and forgets it when it leaves the window", () => {
  const window = new SeriesWindow(60_000, 1000);
  window.mark(5200, "uncertain");
  window.mark(5900, "bad");
  window.mark(5950, "uncertain");
  window.mark(6000, "uncertain");
  expect([...window.doubts]).toEqual([
    [5000, "bad"],
    [6000, "uncertain"],
  ]);
  window.trim(67_500);
  expect([...window.doubts.keys()]).toEqual([6000]);
});

test("a window shows what another held until history comes, which may know better", () => {
  const before = new SeriesWindow(60_000, 1000);
  for (const [time, value] of [
    [1000, 1],
    [2000, 2],
    [3000, 3],
  ] as const)
    before.push(time, value);
  before.mark(2000, "bad");
  const window = new SeriesWindow(60_000, 1000);
  window.seed(before);
  expect(rows(window).map(([time, , , mean]) => [time, mean])).toEqual([
    [1000, 1],
    [2000, 2],
    [3000, 3],
  ]);
  expect(window.doubts.get(2000)).toBe("bad");
  window.push(3500, 30);
  expect(rows(window).at(-1)).toEqual([3000, 30, 30, 30, 1]);
  window.merge([[2000, 20, 20, 20, 1]]);
  expect(rows(window)).toEqual([
    [2000, 20, 20, 20, 1],
    [3000, 30, 30, 30, 1],
  ]);
});

test("seen from further away, what was held folds into wider buckets", () => {
  const before = new SeriesWindow(60_000, 1000);
  for (let at = 0; at < 10; at++) before.push(at * 1000, at);
  const window = new SeriesWindow(600_000, 5000);
  window.seed(before);
  expect(rows(window).map(([time, min, max]) => [time, min, max])).toEqual([
    [0, 0, 4],
    [5000, 5, 9],
  ]);
});

test("the bucket nearest to a time is found, and none in a gap", () => {
  const window = new SeriesWindow(600_000, 1000);
  for (const at of [10, 11, 12, 50]) window.push(at * 1000, at);
  expect(window.near(11_400, 1500)?.[0]).toBe(11_000);
  expect(window.near(11_600, 1500)?.[0]).toBe(12_000);
  expect(window.near(0, 1500)).toBeNull();
  expect(window.near(30_000, 1500)).toBeNull();
  expect(window.near(99_000, 60_000)?.[0]).toBe(50_000);
  expect(new SeriesWindow(1000, 10).near(5, 1000)).toBeNull();
});
