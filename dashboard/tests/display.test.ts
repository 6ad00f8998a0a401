import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Metric } from "../src/api/types.ts";
import { Display } from "../src/state/display.ts";
import { MetricState } from "../src/state/metric.ts";

const T0 = 1_700_000_000_000;
const MANY = 250;

let frames: (() => void)[];
let display: Display;

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("window", globalThis);
  display = new Display();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function metrics(count: number): MetricState[] {
  const meta = {
    title: "",
    unit: "",
    kind: "number",
    interval_ms: null,
    decimals: null,
    last: null,
  };
  return Array.from(
    { length: count },
    (_, n) => new MetricState("pico", { ...meta, name: `m${n}` } as Metric),
  );
}

function news(of: MetricState[], value: number): void {
  for (const metric of of) metric.push(Date.now(), value, "good");
  display.take(of);
}

const frame = () => {
  for (const run of frames.splice(0)) run();
};
const showing = (of: MetricState[], value: number) =>
  of.filter((metric) => metric.last.peek()?.value === value).length;

test("news after quiet is shown in the very next frame", () => {
  const [one] = metrics(1);
  if (one) news([one], 7);
  frame();
  expect(one?.last.peek()?.value).toBe(7);
});

test("a round of many readouts takes several frames, and none of them takes all", () => {
  const all = metrics(MANY);
  news(all, 7);
  frame();
  expect(showing(all, 7)).toBeGreaterThan(0);
  expect(showing(all, 7)).toBeLessThan(MANY);
  while (frames.length > 0) frame();
  expect(showing(all, 7)).toBe(MANY);
});

test("what changes again waits until the change before it could be read, and then shows the newest", () => {
  const all = metrics(3);
  news(all, 1);
  frame();
  news(all, 2);
  news(all, 3);
  frame();
  expect(showing(all, 1)).toBe(3);
  vi.advanceTimersByTime(1000);
  frame();
  expect(showing(all, 3)).toBe(3);
});

test("news during a round is not lost: it comes in the next", () => {
  const all = metrics(MANY);
  news(all, 1);
  frame();
  news(all, 2);
  while (frames.length > 0) frame();
  vi.advanceTimersByTime(1000);
  while (frames.length > 0) frame();
  expect(showing(all, 2)).toBe(MANY);
});

test("a calm drawing is drawn with readouts, and once a second where nothing comes", () => {
  let drawn = 0;
  const off = display.onFlush(() => drawn++);
  frame();
  expect(drawn).toBe(1);
  display.tick();
  frame();
  expect(drawn).toBe(2);
  const all = metrics(1);
  news(all, 1);
  while (frames.length > 0) frame();
  expect(drawn).toBe(3);
  display.tick();
  frame();
  expect(drawn).toBe(3);
  off();
  vi.advanceTimersByTime(2000);
  display.tick();
  frame();
  expect(drawn).toBe(3);
});

test("turns are spread over the period", () => {
  const turns = Array.from({ length: 20 }, () => display.turn()).sort((a, b) => a - b);
  const gaps = turns.slice(1).map((turn, at) => turn - (turns[at] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(0.1);
});
