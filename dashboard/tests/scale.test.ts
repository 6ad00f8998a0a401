import { expect, test } from "vitest";
import {
  durationStep,
  gapAfterMs,
  niceRange,
  niceTicks,
  timeStep,
  timeTicks,
  widened,
} from "../src/charts/scale.ts";

test("a range stands on whole steps around the data", () => {
  expect(niceRange(20.65, 24.3)).toEqual([20, 26]);
  expect(niceRange(0.12, 0.34)).toEqual([0.1, 0.4]);
});

test("flat data gets room, and none below zero where it never was", () => {
  const [low, high] = niceRange(0, 0);
  expect(low).toBe(0);
  expect(high).toBeGreaterThan(0);
  expect(niceRange(21, 21)[0]).toBeLessThan(21);
  expect(widened(0, 0, 4)).toEqual([0, 4]);
  expect(widened(-1, 1, 4)).toEqual([-2, 2]);
});

test("no data gives a range all the same", () => {
  expect(niceRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toEqual([0, 1]);
});

test("ticks are whole steps without the dust of binary fractions", () => {
  expect(niceTicks(0, 0.6, 3)).toEqual([0, 0.2, 0.4, 0.6]);
  expect(niceTicks(17.5, 18.5, 2)).toEqual([17.5, 18, 18.5]);
});

test("an axis has three ticks at the least, whatever its ends", () => {
  expect(niceTicks(40.6, 41.4, 3.5)).toEqual([40.6, 40.8, 41, 41.2, 41.4]);
  for (let low = 0; low < 2; low += 0.013) {
    for (const span of [0.07, 0.3, 0.8, 1.1, 4, 90]) {
      const ticks = niceTicks(low, low + span, 3.5);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(9);
    }
  }
});

test("long durations run in whole seconds, minutes, hours and days", () => {
  expect([3, 20, 61, 4000, 80_000].map(durationStep)).toEqual([5, 30, 120, 7200, 86_400]);
  expect(durationStep(3 * 86_400)).toBe(5 * 86_400);
  expect(niceRange(1634, 1935, 3, durationStep)).toEqual([1560, 2040]);
  expect(niceTicks(1560, 2040, 3.5, durationStep)).toEqual([1560, 1680, 1800, 1920, 2040]);
});

test("time ticks stand on the viewer's whole hours and days", () => {
  const hour = 3_600_000;
  expect(timeStep(24 * hour, 8)).toBe(3 * hour);
  const inIndia = 5.5 * hour;
  expect(timeTicks(0, 4 * hour, hour, inIndia)).toEqual([0.5, 1.5, 2.5, 3.5].map((h) => h * hour));
});

test("the limit follows the metric's interval, or the bucket where that is wider", () => {
  expect(gapAfterMs(1000, 500)).toBe(3000);
  expect(gapAfterMs(10_000, 500)).toBe(30_000);
  expect(gapAfterMs(1000, 120_000)).toBe(300_000);
  expect(gapAfterMs(null, 500)).toBe(Number.POSITIVE_INFINITY);
});
