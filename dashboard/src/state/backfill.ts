import type { Client } from "../api/client.ts";
import { drawn } from "../format/value.ts";
import type { Feed, MetricState } from "./metric.ts";
import { SeriesWindow, toBuckets } from "./window.ts";

/** Requests for history under way at once: a browser has six connections to a host, and others need some. */
const AT_ONCE = 3;
/** Raw samples fetched for one window of an enum, at most. */
const RAW_LIMIT = 20_000;
/** The store commits in groups: what it did not have yet when a window was filled, it has after this. */
const SETTLE_MS = 12_000;

/** Fills windows from history: when they open, and again when the live stream had a hole. */
export class Backfill {
  private readonly client: Client;
  private readonly hubNow: () => number;
  private readonly queue: (() => Promise<void>)[] = [];
  private running = 0;

  constructor(client: Client, hubNow: () => number) {
    this.client = client;
    this.hubNow = hubNow;
  }

  /** Fill now, and once more when the store must have caught up with the stream. */
  open(metric: MetricState, feed: Feed): void {
    this.fill(metric, feed);
    if (feed.until !== null && this.hubNow() - feed.until > SETTLE_MS) return;
    window.setTimeout(() => {
      if (metric.feeds.has(feed)) this.fill(metric, feed);
    }, SETTLE_MS);
  }

  /** Fetch the window's span and merge it with what came live. */
  fill(metric: MetricState, feed: Feed): void {
    if (metric.meta.peek().kind === "text") {
      feed.state.value = "ready";
      return;
    }
    this.queue.push(() => this.fetch(metric, feed));
    this.next();
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      const job = this.queue.shift();
      if (!job) return;
      this.running++;
      void job().finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  private async fetch(metric: MetricState, feed: Feed): Promise<void> {
    if (!metric.feeds.has(feed)) return;
    const { spanMs, bucketMs } = feed.window;
    // Whole buckets, so that the hub's and the page's are the same.
    const points = Math.ceil(spanMs / bucketMs) + 1;
    const to = (Math.floor((feed.until ?? this.hubNow()) / bucketMs) + 1) * bucketMs;
    const from = to - points * bucketMs;
    try {
      if (metric.meta.peek().kind === "enum") await this.fetchStates(metric, feed, from, to);
      else {
        const { columns, rows } = await this.client.history(
          metric.device,
          metric.name,
          from,
          to,
          points,
        );
        feed.window.merge(toBuckets(columns, rows));
      }
      feed.state.value = "ready";
    } catch (error) {
      if (feed.state.peek() !== "ready") feed.state.value = "failed";
      feed.error.value = error instanceof Error ? error.message : String(error);
    }
    feed.changed();
  }

  /** Enums have no mean: their samples come raw. */
  private async fetchStates(
    metric: MetricState,
    feed: Feed,
    from: number,
    to: number,
  ): Promise<void> {
    const rows = await this.client.raw(metric.device, metric.name, from, to, RAW_LIMIT);
    const own = new SeriesWindow(feed.window.spanMs, feed.window.bucketMs);
    for (const [time, value] of rows) {
      const number = drawn(metric.meta.peek(), value ?? null);
      if (number !== null) own.push(Number(time), number);
    }
    feed.window.merge(own.buckets());
  }
}
