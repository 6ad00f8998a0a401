import { type Signal, signal } from "@preact/signals";
import { keep, recalled, type Shelf } from "./chosen.ts";

/** With what a chart is compared: the same metric some time earlier, or another metric. */
export type Comparison =
  | { earlierMs: number }
  /** The key of a metric: DEVICE/METRIC. */
  | { key: string };

export const EARLIER_MS = [
  3_600_000, 86_400_000, 604_800_000, 2_419_200_000, 31_536_000_000,
] as const;

const KEY = "outpost.compared";
const EARLIER = "earlier:";
const METRIC = "metric:";

/** As a choice's value; "" for none. */
export function written(comparison: Comparison | null): string {
  if (comparison === null) return "";
  return "key" in comparison ? METRIC + comparison.key : EARLIER + comparison.earlierMs;
}

/** A choice's value as what it means; null for what means nothing. */
export function comparisonOf(text: string): Comparison | null {
  if (text.startsWith(METRIC)) return { key: text.slice(METRIC.length) };
  const earlierMs = Number(text.slice(EARLIER.length));
  const known = text.startsWith(EARLIER) && EARLIER_MS.some((one) => one === earlierMs);
  return known ? { earlierMs } : null;
}

/** What this browser compares each metric with; kept in `storage`, where what is not understood is left out. */
export class Comparisons {
  private readonly storage: Shelf;
  private readonly of = new Map<string, Signal<Comparison | null>>();

  constructor(storage: Shelf) {
    this.storage = storage;
    for (const [key, text] of Object.entries(recalled(storage, KEY))) {
      const comparison = typeof text === "string" ? comparisonOf(text) : null;
      if (comparison) this.of.set(key, signal(comparison));
    }
  }

  /** What the metric of that key is compared with. */
  with(key: string): Signal<Comparison | null> {
    let found = this.of.get(key);
    if (found === undefined) {
      found = signal(null);
      this.of.set(key, found);
    }
    return found;
  }

  choose(key: string, comparison: Comparison | null): void {
    this.with(key).value = comparison;
    const kept: Record<string, string> = {};
    for (const [metric, chosen] of this.of)
      if (chosen.peek()) kept[metric] = written(chosen.peek());
    keep(this.storage, KEY, kept);
  }
}

/** The window of a metric's past beside a view of its present: a little longer, so that it is not fetched each second. */
export function earlierView(
  untilMs: number | null,
  spanMs: number,
  earlierMs: number,
  nowMs: number,
): { until: number; spanMs: number } {
  if (untilMs !== null) return { until: untilMs - earlierMs, spanMs };
  const ahead = Math.min(earlierMs, Math.max(60_000, spanMs / 4));
  const until = (Math.floor((nowMs - earlierMs) / ahead) + 1) * ahead;
  return { until, spanMs: spanMs + ahead };
}
