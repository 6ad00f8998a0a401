import { expect, test } from "vitest";
import type { Kind, Metric } from "../src/api/types.ts";
import { csvOf, csvUrl } from "../src/charts/export.ts";
import { dataOf, lone, merged, pauses, shareAxis, union } from "../src/charts/traces.ts";
import { Comparisons, comparisonOf, earlierView, written } from "../src/state/compare.ts";
import { Crosshair } from "../src/state/crosshair.ts";
import { doubtsIn, inWords, pointedAt } from "../src/state/pointed.ts";
import { SeriesWindow } from "../src/state/window.ts";

const HOUR = 3_600_000;

const metric = (unit = "V", kind: Kind = "number"): Metric => ({
  name: "m",
  title: "",
  unit,
  kind,
  interval_ms: 1000,
  decimals: 1,
  last: null,
});
const windowOf = (samples: readonly (readonly [number, number])[]) => {
  const window = new SeriesWindow(600_000, 1000);
  for (const [at, value] of samples) window.push(at, value);
  return window;
};
const traced = (window: SeriesWindow, shiftMs = 0) => ({ window, metric: metric(), shiftMs });
const columns = (data: unknown) => (data as ArrayLike<unknown>[]).map((one) => Array.from(one));

test("without doubt and comparison the window's own columns are drawn, with no copy", () => {
  const window = windowOf([
    [1000, 1],
    [2000, 2],
  ]);
  const data = dataOf({ main: traced(window), second: null });
  expect(columns(data)).toEqual([[1, 2], [1, 2], [1, 2], [1, 2], [], []]);
  expect(data[3]).toBeInstanceOf(Float64Array);
});

test("the line stops where samples are doubtful, and a dotted one goes on from neighbour to neighbour", () => {
  const window = windowOf([1, 2, 3, 4, 5, 6].map((s) => [s * 1000, s] as const));
  window.mark(3000, "uncertain");
  window.mark(4000, "bad");
  const [, , , good, doubtful] = columns(dataOf({ main: traced(window), second: null }));
  expect(good).toEqual([1, 2, null, null, 5, 6]);
  expect(doubtful).toEqual([null, 2, 3, 4, 5, null]);
});

test("what is compared stands beside it on one time, shifted, each with its own gaps", () => {
  const main = windowOf([
    [HOUR + 1000, 1],
    [HOUR + 2000, 2],
  ]);
  const second = windowOf([
    [2000, 20],
    [3000, 30],
  ]);
  const data = columns(dataOf({ main: traced(main), second: traced(second, HOUR) }));
  expect(data[0]).toEqual([3601, 3602, 3603]);
  expect(data[3]).toEqual([1, 2, undefined]);
  expect(data[5]).toEqual([undefined, 20, 30]);
});

test("times of two traces become one ascending row, each once", () => {
  expect(union([1, 3, 5], [2, 3, 9])).toEqual({
    times: [1, 2, 3, 5, 9],
    first: [0, -1, 1, 2, -1],
    others: [-1, 0, 1, -1, 2],
  });
  expect(union([], []).times).toEqual([]);
});

test("a pause is where a trace has nothing for longer than its limit, whatever another trace has", () => {
  const time = [1, 2, 3, 9, 10];
  expect(pauses(time, [1, 1, 1, 1, 1], 0, 4, 3000)).toEqual([[2, 3]]);
  expect(pauses(time, [1, undefined, undefined, undefined, 1], 0, 4, 3000)).toEqual([[0, 4]]);
  expect(pauses(time, [1, 1, 1, 1, 1], 0, 4, Number.POSITIVE_INFINITY)).toEqual([]);
});

test("stretches that overlap become one, in order", () => {
  expect(
    merged([
      [5, 9],
      [1, 2],
      [8, 12],
      [2, 3],
    ]),
  ).toEqual([
    [1, 3],
    [5, 12],
  ]);
});

test("metrics of one kind and unit share an axis", () => {
  expect(shareAxis(metric("V"), metric("V"))).toBe(true);
  expect(shareAxis(metric("V"), metric("A"))).toBe(false);
  expect(shareAxis(metric("", "boolean"), metric(""))).toBe(false);
});

test("under the crosshair stand value, spread and doubt; in a gap nothing", () => {
  const window = windowOf([
    [5000, 1],
    [5500, 3],
    [6000, 4],
  ]);
  window.mark(5000, "uncertain");
  const found = pointedAt(window, metric(), 5200);
  expect(found).toMatchObject({ time: 5000, text: "2.0", unit: "V", doubt: "uncertain" });
  expect(inWords(found)).toBe("2.0 V, from 1.0 to 3.0, uncertain");
  expect(inWords(pointedAt(window, metric(), 60_000))).toBe("no sample here");
});

test("a legend explains only what is in sight", () => {
  const window = windowOf([]);
  window.mark(5000, "bad");
  expect([...doubtsIn(window, 0, 10_000)]).toEqual(["bad"]);
  expect(doubtsIn(window, 20_000, 30_000).size).toBe(0);
});

test("all charts are read out together; who has nothing to say is silent", () => {
  const crosshair = new Crosshair();
  crosshair.join(() => "Temperature 21 °C");
  const off = crosshair.join(() => "Door open");
  crosshair.join(() => "");
  crosshair.readAll();
  expect(crosshair.said.value).toBe("Temperature 21 °C; Door open");
  off();
  crosshair.readAll();
  expect(crosshair.said.value).toBe("Temperature 21 °C");
});

test.each([[{ earlierMs: 86_400_000 }], [{ key: "pico/a:b/c" }], [null]])(
  "the comparison %j survives being written down",
  (comparison) => {
    expect(comparisonOf(written(comparison))).toEqual(comparison);
  },
);

test.each(["", "earlier:", "earlier:-5", "earlier:1e99", "nonsense"])(
  "%j means no comparison",
  (text) => {
    expect(comparisonOf(text)).toBeNull();
  },
);

test("comparisons are remembered, nonsense is left out, and a full store is no failure", () => {
  const kept = new Map([["outpost.compared", '{"pico/a":"metric:shed/b","pico/b":7,"c":"x"}']]);
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const comparisons = new Comparisons(storage);
  expect(comparisons.with("pico/a").value).toEqual({ key: "shed/b" });
  expect(comparisons.with("pico/b").value).toBeNull();
  comparisons.choose("pico/b", { earlierMs: 86_400_000 });
  comparisons.choose("pico/a", null);
  expect(new Comparisons(storage).with("pico/b").value).toEqual({ earlierMs: 86_400_000 });
  expect(new Comparisons(storage).with("pico/a").value).toBeNull();
  const full = {
    getItem: () => "not json",
    setItem: () => {
      throw new Error("full");
    },
  };
  const held = new Comparisons(full);
  held.choose("a", { key: "b" });
  expect(held.with("a").value).toEqual({ key: "b" });
});

test("the past beside a live view reaches over its end, and is asked for anew only when it runs out", () => {
  const now = 1_700_000_000_000;
  const first = earlierView(null, 300_000, 86_400_000, now);
  expect(first.until).toBeGreaterThan(now - 86_400_000);
  expect(first.until - first.spanMs).toBeLessThanOrEqual(now - 86_400_000 - 300_000);
  expect(earlierView(null, 300_000, 86_400_000, first.until + 86_400_000 - 1).until).toBe(
    first.until,
  );
  expect(earlierView(null, 300_000, 86_400_000, first.until + 86_400_000).until).toBeGreaterThan(
    first.until,
  );
  expect(earlierView(now, 300_000, 86_400_000, now + 5).until).toBe(now - 86_400_000);
});

test("CSV asks for samples, for buckets where there are too many, and for both metrics that are compared", () => {
  const url = csvUrl(["pico/a b", "shed/t"], 1000, 0.4, 60_000.2, 600);
  expect(url).toBe("/api/v1/samples?metric=pico%2Fa+b&metric=shed%2Ft&format=csv&from=0&to=60001");
  expect(csvUrl(["pico/a"], 1000, 0, 86_400_000, 600)).toContain("points=600");
});

test("CSV of a metric beside its own past has both times", () => {
  const rows = csvOf(
    windowOf([[HOUR + 1000, 1]]),
    windowOf([
      [1000, 7],
      [2000, 8],
    ]),
    HOUR,
    HOUR,
    HOUR + 9000,
  );
  expect(rows.trimEnd().split("\r\n")).toEqual([
    "time,min,max,mean,earlier_time,earlier_min,earlier_max,earlier_mean",
    "3601000,1,1,1,1000,7,7,7",
    "3602000,,,,2000,8,8,8",
  ]);
});

test("a bucket with a pause on both sides is found, and none that a line leads to", () => {
  const all = (time: number[], column: (number | null | undefined)[]) =>
    lone(time, column, [0, time.length - 1], 3000);
  expect(all([7], [1])).toEqual([0]);
  expect(all([1, 2, 3], [1, 2, 3])).toEqual([]);
  expect(all([1, 10, 20], [1, 2, 3])).toEqual([0, 1, 2]);
  expect(all([1, 2, 10, 20, 21], [1, 2, 3, 4, 5])).toEqual([2]);
  // Interrupted by what is not good.
  expect(all([1, 2, 3], [1, null, 3])).toEqual([0, 2]);
  // A time of the other trace alone interrupts nothing.
  expect(all([1, 2, 3], [1, undefined, 3])).toEqual([]);
  expect(lone([], [], [0, -1], 3000)).toEqual([]);
});
