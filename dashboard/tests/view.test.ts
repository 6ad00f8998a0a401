import { expect, test } from "vitest";
import {
  bucketFor,
  LEAST_SPAN_MS,
  liveView,
  movedTo,
  panned,
  pinched,
  viewOf,
  zoomed,
} from "../src/state/view.ts";

const NOW = 1_800_000_000_000;
const YEAR = 31_536_000_000;

test.each([10_000, 60_000, 3_600_000, 86_400_000, YEAR, 10 * YEAR])(
  "a span of %i ms takes 300 to 900 buckets",
  (span) => {
    const buckets = span / bucketFor(span);
    expect(buckets).toBeGreaterThanOrEqual(300);
    expect(buckets).toBeLessThanOrEqual(900);
  },
);

test("a view is never shorter than ten seconds, and never ends in the future", () => {
  const view = viewOf(NOW - 1000, NOW - 900, NOW);
  expect(view.spanMs).toBe(LEAST_SPAN_MS);
  expect(view.until).toBeLessThanOrEqual(NOW);
  expect(viewOf(NOW - 60_000, NOW + 60_000, NOW).until).toBe(NOW);
});

test("from and to may be given in either order", () => {
  expect(viewOf(NOW - 10_000, NOW - 70_000, NOW)).toEqual(viewOf(NOW - 70_000, NOW - 10_000, NOW));
});

test("panning back leaves live, panning forward again returns to it", () => {
  const back = panned(liveView(60_000), -0.5, NOW);
  expect(back.until).toBe(NOW - 30_000);
  expect(panned(back, 0.5, NOW).until).toBeNull();
});

test("zooming keeps the place that was pointed at", () => {
  const view = viewOf(NOW - 400_000, NOW - 200_000, NOW);
  const closer = zoomed(view, 0.5, NOW, 0.25);
  expect(closer.spanMs).toBe(100_000);
  expect((closer.until ?? 0) - closer.spanMs * 0.75).toBe(NOW - 350_000);
  expect(zoomed(liveView(60_000), 2, NOW)).toEqual(liveView(120_000));
});

test("a plot that is moved past now is live again, with the span it has", () => {
  expect(movedTo(NOW - 30_000, NOW + 30_000, NOW)).toEqual(liveView(60_000));
  expect(movedTo(NOW - 90_000, NOW - 30_000, NOW).until).toBe(NOW - 30_000);
});

test("two fingers hold on to the times that they were put on", () => {
  // 100 s over 100 px from 0: 20 s and 60 s under the fingers, which then spread to 10 and 90 px.
  const { from, to } = pinched([NOW + 20_000, NOW + 60_000], [10, 90], 100);
  const at = (x: number) => from + ((to - from) * x) / 100;
  expect(at(10)).toBeCloseTo(NOW + 20_000, 0);
  expect(at(90)).toBeCloseTo(NOW + 60_000, 0);
});

test("fingers that meet or cross neither turn the time around nor go beyond what a view can be", () => {
  for (const x of [
    [50, 50],
    [90, 10],
  ] as const) {
    const { from, to } = pinched([NOW, NOW + 1000], x, 300);
    expect(to - from).toBeGreaterThanOrEqual(LEAST_SPAN_MS);
  }
  const { from, to } = pinched([NOW, NOW + 10_000], [0, 300], 300);
  expect(to - from).toBe(LEAST_SPAN_MS);
});
