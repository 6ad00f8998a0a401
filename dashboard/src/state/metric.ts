import { type Signal, signal } from "@preact/signals";
import type { Metric, Quality, Value } from "../api/types.ts";
import { drawn } from "../format/value.ts";
import { SeriesWindow } from "./window.ts";

/** What a readout needs of the last sample. */
export interface Last {
  value: Value;
  quality: Quality;
  /** When the device took it, UTC ms. */
  time: number;
}

/** How a value is to be read: `live`, `stale` (older than three of its intervals), `offline`, `none` yet. */
export type Freshness = "live" | "stale" | "offline" | "none";

export const SPARK_SPAN_MS = 300_000;
export const SPARK_BUCKET_MS = 3000;
/** A late sample by network or batching alone does not make a fast metric stale. */
const STALE_AT_LEAST_MS = 3000;

/** A window that the live stream feeds, and whoever draws it. */
export interface Feed {
  window: SeriesWindow;
  /** The buckets that history is asked for in; what was kept may have coarser ones. */
  bucketMs: number;
  /** Where it ends; null for one that moves on with the live stream. */
  until: number | null;
  /** Called after new samples were folded in. */
  changed: () => void;
  /** `loading` until history came; `failed` says why in `error`. */
  state: Signal<"loading" | "ready" | "failed">;
  error: Signal<string>;
  /** When its history was seen, where this browser kept it and the hub could not be asked (UTC ms); else null. */
  seen: Signal<number | null>;
}

/** One metric of a device: its description, its last value, and the windows that charts draw. */
export class MetricState {
  readonly key: string;
  readonly device: string;
  readonly meta: Signal<Metric>;
  /** Follows the samples at a pace that can be read. */
  readonly last: Signal<Last | null>;
  readonly feeds = new Set<Feed>();
  /** The newest sample, ahead of `last` until the next flush. */
  newest: Last | null;
  private sparkFeed: Feed | null = null;

  constructor(device: string, metric: Metric) {
    this.device = device;
    this.key = `${device}/${metric.name}`;
    this.meta = signal(metric);
    this.newest = lastOf(metric);
    this.last = signal(this.newest);
  }

  get name(): string {
    return this.meta.peek().name;
  }

  /** Take in a live sample. Returns false where it is older than what is shown. */
  push(timeMs: number, value: Value, quality: Quality): boolean {
    const number = drawn(this.meta.peek(), value);
    for (const { until, window } of this.feeds) {
      if (until !== null) continue;
      if (number !== null) window.push(timeMs, number);
      if (quality !== "good") window.mark(timeMs, quality);
    }
    if (this.newest !== null && this.newest.time > timeMs) return false;
    this.newest = { value, quality, time: timeMs };
    return true;
  }

  /** Take in the device's own description, which may carry a newer value than the stream did. */
  describe(metric: Metric): void {
    this.meta.value = metric;
    const last = lastOf(metric);
    if (last !== null && (this.newest === null || this.newest.time <= last.time)) {
      this.newest = last;
      this.last.value = last;
    }
  }

  /** The metric as the hub would tell it, with its newest sample. */
  seen(): Metric {
    const { newest } = this;
    const last = newest && {
      value: newest.value,
      quality: newest.quality,
      source_time: newest.time,
      hub_time: newest.time,
    };
    return { ...this.meta.peek(), last };
  }

  /** Open a window on this metric. Close it with `feeds.delete`. */
  feed(spanMs: number, bucketMs: number, until: number | null = null): Feed {
    const feed: Feed = {
      until,
      window: new SeriesWindow(spanMs, bucketMs),
      bucketMs,
      changed: () => {},
      state: signal("loading"),
      error: signal(""),
      seen: signal(null),
    };
    this.feeds.add(feed);
    return feed;
  }

  /** The small chart's window: kept while the page lives, so that going back to it is instant. */
  spark(): { feed: Feed; fresh: boolean } {
    const fresh = this.sparkFeed === null;
    this.sparkFeed ??= this.feed(SPARK_SPAN_MS, SPARK_BUCKET_MS);
    return { feed: this.sparkFeed, fresh };
  }

  /** How to read the value at hub time `nowMs`. `heard` is whether the hub still speaks to this page. */
  freshness(nowMs: number, online: boolean, heard: boolean): Freshness {
    const last = this.last.value;
    if (last === null) return "none";
    if (!online) return "offline";
    if (!heard) return "stale";
    const interval = this.meta.value.interval_ms;
    if (interval === null) return "live";
    return nowMs - last.time > Math.max(3 * interval, STALE_AT_LEAST_MS) ? "stale" : "live";
  }
}

function lastOf(metric: Metric): Last | null {
  if (metric.last === null) return null;
  const { value, quality, source_time } = metric.last;
  return { value, quality, time: source_time };
}
