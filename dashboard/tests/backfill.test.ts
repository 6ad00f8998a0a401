import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, type Client } from "../src/api/client.ts";
import type { Kind, Metric } from "../src/api/types.ts";
import { Backfill } from "../src/state/backfill.ts";
import { MetricState } from "../src/state/metric.ts";

const T0 = 1_700_000_000_000;

/** What was asked for, call by call; what `refused` names is answered with an error. */
let asked: string[][];
let refused: string[];
let raws: string[];
/** Rows of quality that the hub has. */
let doubts: unknown[][] | Error;
let backfill: Backfill;

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  vi.stubGlobal("window", globalThis);
  asked = [];
  refused = [];
  raws = [];
  doubts = [];
  const client = {
    grid: async (names: string[], _from: number, to: number) => {
      asked.push(names);
      const wrong = names.find((name) => refused.includes(name));
      if (wrong) throw new ApiError(400, `${wrong} is text`);
      return { rows: [[to - 1000, ...names.flatMap((_, at) => [at, at, at, 1])]] };
    },
    doubts: async () => {
      if (doubts instanceof Error) throw doubts;
      return { rows: doubts };
    },
    raw: async (device: string, name: string) => {
      raws.push(`${device}/${name}`);
      return [[T0 - 5000, "closed", "uncertain"]];
    },
  } as unknown as Client;
  backfill = new Backfill(client, () => T0);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const metric = (device: string, name: string, kind: Kind = "number"): MetricState => {
  const more = kind === "enum" ? { options: ["open", "closed"] } : {};
  const plain = { title: "", unit: "", interval_ms: 1000, decimals: null, last: null };
  return new MetricState(device, { name, kind, ...plain, ...more } as Metric);
};
const opened = (of: MetricState, spanMs = 300_000) => {
  const feed = of.feed(spanMs, 1000);
  backfill.fill(of, feed);
  return feed;
};
const settle = () => vi.advanceTimersByTimeAsync(0);

test("windows of one view are filled by one call, each with its own metric", async () => {
  const feeds = ["a", "b", "c"].map((name) => opened(metric("pico", name)));
  await settle();
  expect(asked).toEqual([["pico/a", "pico/b", "pico/c"]]);
  expect(feeds.map((feed) => feed.window.buckets()[0]?.[3])).toEqual([0, 1, 2]);
  expect(feeds.map((feed) => feed.state.value)).toEqual(["ready", "ready", "ready"]);
});

test("metrics of several devices share a call; another span has its own", async () => {
  opened(metric("pico", "a"));
  opened(metric("shed", "a"));
  opened(metric("pico", "a"), 60_000);
  await settle();
  expect(asked).toEqual([["pico/a", "shed/a"], ["pico/a"]]);
});

test("no call asks for more metrics, cells or letters than the hub takes", async () => {
  for (let n = 0; n < 200; n++) opened(metric("pico", `m${n}`));
  for (let n = 0; n < 40; n++) opened(metric("pico", `${"long".repeat(50)}${n}`), 60_000);
  for (let n = 0; n < 20; n++) opened(metric("pico", `w${n}`), 3_600_000);
  await settle();
  expect(asked.flat()).toHaveLength(260);
  expect(Math.max(...asked.map((names) => names.length))).toBe(64);
  for (const names of asked) {
    expect(names.map(encodeURIComponent).join("&metric=").length).toBeLessThan(6000);
    if (names[0]?.startsWith("pico/w")) expect(names.length * 3601).toBeLessThanOrEqual(50_000);
  }
});

test("a metric that is refused does not take the others with it", async () => {
  refused = ["pico/b"];
  const feeds = ["a", "b", "c"].map((name) => opened(metric("pico", name)));
  await settle();
  expect(feeds.map((feed) => feed.state.value)).toEqual(["ready", "failed", "ready"]);
  expect(feeds[1]?.error.value).toBe("pico/b is text");
});

test("a window that was closed before its turn is not asked for", async () => {
  const [kept, gone] = [metric("pico", "a"), metric("pico", "b")];
  opened(kept);
  gone.feeds.delete(opened(gone));
  await settle();
  expect(asked).toEqual([["pico/a"]]);
});

test("enums come raw, with the quality of their samples; text has no history to draw", async () => {
  const feed = opened(metric("pico", "door", "enum"));
  const words = opened(metric("pico", "note", "text"));
  await settle();
  expect([asked, raws]).toEqual([[], ["pico/door"]]);
  expect(feed.window.buckets().map(([time, , max]) => [time, max])).toEqual([[T0 - 5000, 1]]);
  expect([...feed.window.doubts]).toEqual([[T0 - 5000, "uncertain"]]);
  expect(words.state.value).toBe("ready");
});

test("history tells what was not good, each metric its own", async () => {
  doubts = [
    [T0 - 9000, "uncertain", null],
    [T0 - 8000, null, "bad"],
  ];
  const [a, b] = [opened(metric("pico", "a")), opened(metric("pico", "b"))];
  await settle();
  expect([...a.window.doubts]).toEqual([[T0 - 9000, "uncertain"]]);
  expect([...b.window.doubts]).toEqual([[T0 - 8000, "bad"]]);
});

test("without the quality the values are there all the same", async () => {
  doubts = new ApiError(400, "more samples than one question opens");
  const feed = opened(metric("pico", "a"));
  await settle();
  expect([feed.state.value, feed.window.length]).toEqual(["ready", 1]);
});

test("the patient share a call, and who is not takes them along at once", async () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => metric("pico", name)) as [
    MetricState,
    MetricState,
    MetricState,
  ];
  for (const one of [a, b]) backfill.fill(one, one.feed(300_000, 1000), 400);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toEqual([]);
  opened(c);
  await settle();
  expect(asked).toEqual([["pico/a", "pico/b", "pico/c"]]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(1);
});

test("what the store had not yet is asked for once more, together", async () => {
  const metrics = ["a", "b"].map((name) => metric("pico", name));
  for (const one of metrics) {
    backfill.open(one, one.feed(300_000, 1000));
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(asked).toEqual([["pico/a"], ["pico/b"]]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(asked.slice(2)).toEqual([["pico/a", "pico/b"]]);
});
