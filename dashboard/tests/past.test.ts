import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, type Client } from "../src/api/client.ts";
import type { Metric } from "../src/api/types.ts";
import { Backfill } from "../src/state/backfill.ts";
import type { KeptWindow } from "../src/state/database.ts";
import { type Feed, MetricState, SPARK_BUCKET_MS, SPARK_SPAN_MS } from "../src/state/metric.ts";
import { bestOf, Past, packed, unpacked } from "../src/state/past.ts";
import { SeriesWindow } from "../src/state/window.ts";

const T0 = 1_700_000_000_000;
const META = {
  name: "level",
  title: "",
  unit: "m",
  kind: "number",
  decimals: null,
  interval_ms: 1000,
  options: null,
  last: null,
} as unknown as Metric;

let kept: Map<string, KeptWindow[]>;
let past: Past;

beforeEach(() => {
  kept = new Map();
  const recallPast = async (metrics: readonly string[]) =>
    metrics.map((key) => kept.get(key) ?? []);
  past = new Past({ recallPast }, () => T0);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A window over a minute with a sample in each of these seconds before T0. */
function windowWith(seconds: readonly number[], bucketMs = 1000): SeriesWindow {
  const window = new SeriesWindow(60_000, bucketMs);
  for (const second of seconds) window.push(T0 - 1000 * second, second);
  return window;
}

function feeding(metric: MetricState, seconds: readonly number[]): Feed {
  const feed = metric.feed(60_000, 1000);
  for (const second of seconds) feed.window.push(T0 - 1000 * second, second);
  return feed;
}

/** Ask a hub for a window's history, and wait until it came or did not. */
async function filled(metric: MetricState, feed: Feed, client: object): Promise<void> {
  vi.stubGlobal("window", globalThis);
  const backfill = new Backfill(client as Client, () => T0);
  backfill.past = past;
  const done = new Promise<void>((resolve) => {
    feed.changed = resolve;
  });
  backfill.fill(metric, feed);
  await done;
}

const means = (window: SeriesWindow) => window.buckets().map(([time, , , mean]) => [time, mean]);

test("a window that was kept is the same again", () => {
  const window = windowWith([5, 4, 2]);
  window.push(T0 - 2000, 12);
  window.mark(T0 - 4000, "uncertain");
  const back = unpacked(structuredClone(packed("pond/level", window, T0)));
  const values = (of: SeriesWindow) => of.buckets().map((bucket) => bucket.slice(0, 4));
  expect(values(back)).toEqual(values(window));
  expect([...back.doubts]).toEqual([...window.doubts]);
});

test("the bytes of what is kept are at least those of its numbers", () => {
  const one = packed("pond/level", windowWith([3, 2, 1]), T0);
  expect(one.bytes).toBeGreaterThanOrEqual(one.buckets.byteLength);
  expect(one.buckets.byteLength).toBe(3 * 4 * 8);
});

test("what shows most of a span is shown, the finest of those, and what would be a point or two never", () => {
  const of = (bucketMs: number, spanMs: number) =>
    ({ ...packed("pond/level", windowWith([1]), T0), bucketMs, spanMs }) as KeptWindow;
  const [fine, same, coarse, points] = [
    of(100, 10_000),
    of(500, 60_000),
    of(3000, 300_000),
    of(9000, 9e6),
  ];
  expect(bestOf([fine, points, coarse, same], 60_000)).toBe(same);
  expect(bestOf([fine, points, coarse], 60_000)).toBe(coarse);
  expect(bestOf([fine, points], 60_000)).toBe(fine);
  expect(bestOf([points], 60_000)).toBeNull();
});

test("history comes in the buckets that were asked for, also after coarser ones were shown", async () => {
  const metric = new MetricState("pond", META);
  kept.set(metric.key, [packed(metric.key, windowWith([9], 3000), T0 - 8000)]);
  const feed = metric.feed(60_000, 1000);
  await past.show([{ metric, feed }]);
  expect(feed.window.bucketMs).toBe(3000);
  const asked: number[] = [];
  const grid = async (_: string[], from: number, to: number, points: number) => {
    asked.push((to - from) / points);
    return { rows: [[T0 - 2000, 1, 1, 1, 1]] };
  };
  await filled(metric, feed, { grid, doubts: async () => ({ rows: [] }) });
  expect(asked).toEqual([1000]);
  expect(means(feed.window)).toEqual([[T0 - 2000, 1]]);
  expect(feed.window.bucketMs).toBe(1000);
  expect(feed.seen.value).toBeNull();
});

test("a window is kept once for each change, and one that stands still or was itself kept never", () => {
  const metric = new MetricState("pond", META);
  const feed = feeding(metric, [2, 1]);
  metric.feed(60_000, 1000, T0).window.push(T0, 1);
  expect(past.changed([metric], false)).toHaveLength(1);
  expect(past.changed([metric], false)).toHaveLength(0);
  feed.window.push(T0, 3);
  expect(past.changed([metric], false)).toHaveLength(1);
  feed.window.push(T0 + 1000, 3);
  feed.seen.value = T0;
  expect(past.changed([metric], false)).toHaveLength(0);
});

test("small charts are kept only when they are asked for", () => {
  const metric = new MetricState("pond", META);
  metric.feed(SPARK_SPAN_MS, SPARK_BUCKET_MS).window.push(T0, 1);
  expect(past.changed([metric], false)).toHaveLength(0);
  expect(past.changed([metric], true)).toHaveLength(1);
});

test("what was kept is shown before what came live, with its age, until history comes", async () => {
  const metric = new MetricState("pond", META);
  kept.set(metric.key, [packed(metric.key, windowWith([9, 8]), T0 - 8000)]);
  const feed = feeding(metric, [1]);
  await past.show([{ metric, feed }]);
  expect(means(feed.window).map(([, mean]) => mean)).toEqual([9, 8, 1]);
  expect(feed.seen.value).toBe(T0 - 8000);
  feed.window.merge([[T0 - 9000, 5, 5, 5, 1]]);
  expect(means(feed.window)).toEqual([
    [T0 - 9000, 5],
    [T0 - 1000, 1],
  ]);
});

test.each([
  [0, T0 - 8000],
  [503, null],
])("an answer of %d to a call for history shows what was seen at %s", async (status, seen) => {
  const metric = new MetricState("pond", META);
  kept.set(metric.key, [packed(metric.key, windowWith([9]), T0 - 8000)]);
  const grid = () => Promise.reject(new ApiError(status, "no"));
  const feed = metric.feed(60_000, 1000);
  await filled(metric, feed, { grid });
  expect(feed.seen.value).toBe(seen);
  expect(feed.state.value).toBe("failed");
});
