import type { Metric } from "../api/types.ts";
import { shown } from "../format/value.ts";
import { chartText as words } from "../text/catalogue.ts";
import type { Doubt, SeriesWindow } from "./window.ts";

/** What a trace tells of a time. */
export interface Pointed {
  /** When the bucket begins, UTC ms. */
  time: number;
  text: string;
  unit: string;
  /** Lowest and highest of the bucket, where they differ. */
  spread: { min: string; max: string } | null;
  doubt: Doubt | null;
}

/** The bucket nearest to a time; null where nothing was measured about then. */
export function pointedAt(window: SeriesWindow, metric: Metric, timeMs: number): Pointed | null {
  const within = Math.max(1.5 * window.bucketMs, 1.5 * (metric.interval_ms ?? window.spanMs / 50));
  const found = window.near(timeMs, within);
  if (found === null) return null;
  const [time, min, max, mean] = found;
  const one = shown(metric, ownValue(metric, metric.kind === "number" ? mean : max));
  const wide = metric.kind === "number" && min !== max;
  return {
    time,
    ...one,
    spread: wide ? { min: shown(metric, min).text, max: shown(metric, max).text } : null,
    doubt: window.doubts.get(time) ?? null,
  };
}

/** A drawn number as the metric's own value. */
export const ownValue = (metric: Metric, value: number): number | boolean =>
  metric.kind === "boolean" ? value === 1 : value;

/** It as a screen reader says it. */
export function inWords(pointed: Pointed | null): string {
  if (pointed === null) return words.noValue;
  const { text, unit, spread, doubt } = pointed;
  return [
    `${text} ${unit}`.trim(),
    spread && words.spread(spread.min, spread.max),
    doubt && words.legend[doubt],
  ]
    .filter(Boolean)
    .join(", ");
}

/** The worst of what is shown: which kinds of doubt a legend has to explain. */
export function doubtsIn(window: SeriesWindow, fromMs: number, toMs: number): Set<Doubt> {
  const found = new Set<Doubt>();
  for (const [slot, quality] of window.doubts) {
    if (slot >= fromMs - window.bucketMs && slot <= toMs) found.add(quality);
  }
  return found;
}
