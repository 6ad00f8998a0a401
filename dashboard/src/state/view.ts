/** What span of time the charts of a page show. `until` is null for one that ends now and moves on. */
export interface View {
  spanMs: number;
  bucketMs: number;
  until: number | null;
}

const BUCKETS_MS = [
  20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];
/** As many as a chart has pixels, about. */
const MOST_BUCKETS = 900;
export const LEAST_SPAN_MS = 10_000;
export const MOST_SPAN_MS = 20 * 365 * 86_400_000;

/** Ranges that end now, a click each. */
export const RANGES_MS = [
  10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000, 2_592_000_000,
  31_536_000_000,
] as const;

/** The finest bucket with which a span takes no more of them than a chart can show. */
export function bucketFor(spanMs: number): number {
  return BUCKETS_MS.find((bucket) => spanMs / bucket <= MOST_BUCKETS) ?? 7 * 86_400_000;
}

export const liveView = (spanMs: number): View => ({
  spanMs,
  bucketMs: bucketFor(spanMs),
  until: null,
});

/** The view from one time to another. One that would reach past now ends there instead. */
export function viewOf(fromMs: number, toMs: number, nowMs: number): View {
  const asked = Math.abs(toMs - fromMs);
  const spanMs = Math.round(Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, asked)));
  const middle = (fromMs + toMs) / 2;
  return { spanMs, bucketMs: bucketFor(spanMs), until: Math.min(nowMs, middle + spanMs / 2) };
}

/** Forward (positive) or back by a part of its span. */
export function panned(view: View, part: number, nowMs: number): View {
  const until = (view.until ?? nowMs) + part * view.spanMs;
  // Who comes back to now is live again.
  return until >= nowMs ? { ...view, until: null } : { ...view, until };
}

/** Wider (factor over 1) or closer, about the place `at` in the view, from 0 to 1. */
export function zoomed(view: View, factor: number, nowMs: number, at = 0.5): View {
  const spanMs = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, view.spanMs * factor));
  if (view.until === null && at === 0.5) return liveView(spanMs);
  const end = view.until ?? nowMs;
  const pivot = end - view.spanMs * (1 - at);
  return viewOf(pivot - spanMs * at, pivot + spanMs * (1 - at), nowMs);
}

/** The view that a gesture ended at. One that reaches past now is live. */
export function movedTo(fromMs: number, toMs: number, nowMs: number): View {
  return toMs >= nowMs ? liveView(viewOf(fromMs, toMs, nowMs).spanMs) : viewOf(fromMs, toMs, nowMs);
}

/**
 * From when to when a plot of `width` pixels shows so that two times stand under two fingers at `x`; no closer
 * and no wider than a view can be.
 */
export function pinched(
  times: readonly [number, number],
  x: readonly [number, number],
  width: number,
): { from: number; to: number } {
  const [first, second] = times[0] <= times[1] ? [0, 1] : [1, 0];
  // Fingers that cross, or touch, would turn the time around.
  const apart = Math.max(8, (x[second] as number) - (x[first] as number));
  const asked = (((times[second] as number) - (times[first] as number)) / apart) * width;
  const span = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, asked));
  const middle = ((times[0] + times[1]) / 2) as number;
  const from = middle - (((x[0] + x[1]) / 2) * span) / width;
  return { from, to: from + span };
}
