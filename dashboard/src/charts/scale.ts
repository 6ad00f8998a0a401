/** Pure figures for charts: ranges, ticks, gaps. */
import type { Metric } from "../api/types.ts";

const STEPS_MS = [
  1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
  3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  1_209_600_000, 2_419_200_000, 7_862_400_000, 15_724_800_000, 31_449_600_000, 62_899_200_000,
];

/** The finest step of 1, 2, 5 × 10ⁿ that is not under `size`. */
export function niceStep(size: number): number {
  if (!(size > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(size));
  for (const factor of [1, 2, 5]) if (factor * power >= size * 0.999999) return factor * power;
  return 10 * power;
}

const DAY_S = 86_400;

/** Of a duration in seconds: whole seconds, minutes, hours and days, that are not under `size`. */
export function durationStep(size: number): number {
  const found = STEPS_MS.find((step) => step >= size * 1000 && step <= DAY_S * 1000);
  return found === undefined ? niceStep(size / DAY_S) * DAY_S : found / 1000;
}

/** A y range on whole steps around the data, so that it moves seldom. Flat data stands in its middle. */
export function niceRange(
  min: number,
  max: number,
  steps = 3,
  stepOf: (size: number) => number = niceStep,
): [number, number] {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  const span = max - min || Math.abs(max) * 0.02 || 1;
  const step = stepOf(span / steps);
  let low = Math.floor(min / step) * step;
  let high = Math.ceil(max / step) * step;
  if (low === high) {
    low -= step;
    high += step;
  }
  // What never was below zero has no room below it.
  if (min >= 0 && low < 0) low = 0;
  return [clean(low, step), clean(high, step)];
}

/** A span of at least `least` around the data; what never was below zero gets no room there. */
export function widened(min: number, max: number, least: number): [number, number] {
  const missing = Math.max(0, least - (max - min)) / 2;
  const low = min >= 0 ? Math.max(0, min - missing) : min - missing;
  return [low, Math.max(max + missing, low + least)];
}

const asIs = (low: number, high: number): [number, number] =>
  low === high ? [low - 1, high + 1] : [low, high];

/** The y range for a metric whose values lie between `min` and `max`; numbers as `rounded` makes it. */
export function valueRange(
  metric: Pick<Metric, "kind" | "options" | "decimals">,
  min: number,
  max: number,
  rounded = asIs,
): [number, number] {
  if (metric.kind === "boolean") return [0, 1.15];
  if (metric.kind === "enum") return [-0.2, Math.max(1, (metric.options?.length ?? 2) - 1) + 0.2];
  const least = metric.decimals === null ? 0 : 10 ** -metric.decimals * 4;
  const [low, high] = widened(min, max, least);
  return rounded(low, high);
}

/** Fewer ticks do not say how an axis runs. */
const LEAST_TICKS = 3;

/** Ticks from `low` to `high` on whole steps, about `count`; on a finer step where they would be fewer than three. */
export function niceTicks(
  low: number,
  high: number,
  count: number,
  stepOf: (size: number) => number = niceStep,
): number[] {
  const ticks = ticksBy(stepOf((high - low) / Math.max(1, count)), low, high);
  return ticks.length < LEAST_TICKS && high > low
    ? ticksBy(stepOf((high - low) / (2 * Math.max(LEAST_TICKS, count))), low, high)
    : ticks;
}

function ticksBy(step: number, low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) {
    ticks.push(clean(at * step, step));
  }
  return ticks;
}

/** Undo what binary fractions add: 0.30000000000000004 → 0.3. */
function clean(value: number, step: number): number {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)) + 1);
  return Number(value.toFixed(Math.min(digits, 20)));
}

/** The step of time ticks for at most `count` of them over `spanMs`. */
export function timeStep(spanMs: number, count: number): number {
  const least = spanMs / Math.max(1, count);
  return STEPS_MS.find((step) => step >= least) ?? 157_248_000_000;
}

/** Time ticks on whole steps of the viewer's local time (`zoneMs`: local minus UTC). */
export function timeTicks(fromMs: number, toMs: number, stepMs: number, zoneMs: number): number[] {
  const ticks: number[] = [];
  const first = Math.ceil((fromMs + zoneMs) / stepMs) * stepMs - zoneMs;
  for (let at = first; at <= toMs; at += stepMs) ticks.push(at);
  return ticks;
}

/** How far apart two buckets may lie before the line between them would be an invention. */
export function gapAfterMs(intervalMs: number | null, bucketMs: number): number {
  return intervalMs === null
    ? Number.POSITIVE_INFINITY
    : Math.max(3 * intervalMs, 2.5 * bucketMs, 3000);
}
