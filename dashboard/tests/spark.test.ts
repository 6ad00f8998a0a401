import { expect, test } from "vitest";
import type { Metric } from "../src/api/types.ts";
import { sparkPaths } from "../src/charts/spark.ts";
import { SeriesWindow } from "../src/state/window.ts";

const T0 = 1_700_000_000_000;
const BOX = { left: 100, top: 0, width: 60, height: 26 };

const metric = (more: Partial<Metric> = {}): Metric => ({
  name: "t",
  title: "",
  unit: "V",
  kind: "number",
  interval_ms: 1000,
  decimals: 1,
  last: null,
  ...more,
});

/** A minute in buckets of a second, with a value at each of these seconds. */
function minute(values: Record<number, number>): SeriesWindow {
  const window = new SeriesWindow(60_000, 1000);
  for (const [s, value] of Object.entries(values)) window.push(T0 + Number(s) * 1000, value);
  return window;
}

const END = T0 + 60_000;
const xs = (path: string) => [...path.matchAll(/(-?[\d.]+) -?[\d.]+ /g)].map(([, x]) => Number(x));

test("a line reaches from its first second to its last, a pixel a second", () => {
  const { trace } = sparkPaths(BOX, minute({ 30: 1, 31: 2, 32: 1 }), metric(), END);
  expect(trace.startsWith("M130 ")).toBe(true);
  expect(xs(trace)).toEqual([130, 131, 132]);
});

test("a pause of more than three intervals is a gap: another line, another area", () => {
  const { trace, band } = sparkPaths(BOX, minute({ 10: 1, 11: 2, 40: 1, 41: 2 }), metric(), END);
  expect(trace.match(/M/g)).toHaveLength(2);
  expect(band.match(/M[^Z]*Z/g)).toHaveLength(2);
});

test("a value between two gaps is seen though no line leads to it", () => {
  const { trace, band } = sparkPaths(BOX, minute({ 10: 1, 30: 2, 50: 1, 51: 1 }), metric(), END);
  expect(trace).toMatch(/^M108 [\d.]+h2M128 [\d.]+h2M150 /);
  expect(band.match(/M[^Z]*Z/g)).toHaveLength(3);
  const door = sparkPaths(BOX, minute({ 30: 1 }), metric({ kind: "boolean" }), END);
  expect(door.trace).toMatch(/^M128 [\d.]+h2$/);
});

test("nothing is drawn outside of the box, and of what lies before it one place only", () => {
  const window = new SeriesWindow(60_000, 1000);
  for (let s = -3; s <= 60; s++) window.push(T0 + s * 1000, Math.sin(s));
  const { trace } = sparkPaths(BOX, window, metric(), END);
  expect(xs(trace).filter((x) => x === BOX.left)).toHaveLength(1);
  // A board whose clock is ahead.
  const ahead = sparkPaths(BOX, window, metric(), END - 5000);
  for (const x of [...xs(trace), ...xs(ahead.trace), ...xs(ahead.band.replaceAll("Z", ""))]) {
    expect(x).toBeGreaterThanOrEqual(BOX.left);
    expect(x).toBeLessThanOrEqual(BOX.left + BOX.width);
  }
});

test("a run that ended before the span is not drawn", () => {
  const window = minute({ 0: 1, 1: 2 });
  expect(sparkPaths(BOX, window, metric(), T0 + 120_000)).toEqual({
    trace: "",
    band: "",
    uncertain: "",
    bad: "",
  });
});

test("states are steps on the ground of the box", () => {
  const { trace, band } = sparkPaths(
    BOX,
    minute({ 30: 0, 31: 1, 32: 1 }),
    metric({ kind: "boolean" }),
    END,
  );
  expect(trace).toMatch(/^M130 [\d.]+ H131V[\d.]+H132V[\d.]+$/);
  expect(band.endsWith("H130Z")).toBe(true);
});

test("what is not of good quality has a mark of its kind, also where there is no value", () => {
  const window = minute({ 10: 1 });
  window.mark(T0 + 20_000, "uncertain");
  window.mark(T0 + 30_000, "bad");
  const { uncertain, bad } = sparkPaths(BOX, window, metric(), END);
  expect(uncertain).toBe("M120 24h1v2h-1Z");
  expect(bad).toBe("M130 24h1v2h-1Z");
});

test("an empty window draws nothing", () => {
  const { trace, band } = sparkPaths(BOX, new SeriesWindow(60_000, 1000), metric(), END);
  expect(trace + band).toBe("");
});
