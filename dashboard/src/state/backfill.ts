import { ApiError, type Client } from "../api/client.ts";
import { drawn } from "../format/value.ts";
import type { Feed, MetricState } from "./metric.ts";
import type { Past } from "./past.ts";
import { bucketsOf, type Doubt, SeriesWindow } from "./window.ts";

/** Requests for history under way at once: a browser has six connections to a host, and others need some. */
const AT_ONCE = 3;
/** Raw samples fetched for one window of an enum, at most. */
const RAW_LIMIT = 20_000;
/** The store commits in groups: what it did not have yet when a window was filled, it has after this. */
const SETTLE_MS = 12_000;
const SLOT_MS = 4000;
const GATHER_MS = 50;
/** Quality is known of raw samples alone, and the hub opens all of a span to find it. */
export const QUALITY_SPAN_MS = 7 * 86_400_000 + 3_600_000;
/** What the hub answers in one call, and how long an address it takes. */
const MOST_METRICS = 64;
const MOST_CELLS = 50_000;
const MOST_LETTERS = 4000;

/** A window to fill. */
interface Job {
  metric: MetricState;
  feed: Feed;
}

/** Fills windows from history: when they open, and again when the live stream had a hole. */
export class Backfill {
  private readonly client: Client;
  private readonly hubNow: () => number;
  /** What is shown where the hub cannot be asked. */
  past: Past | null = null;
  private waiting: Job[] = [];
  private gathering = 0;
  private running = 0;

  constructor(client: Client, hubNow: () => number) {
    this.client = client;
    this.hubNow = hubNow;
  }

  /**
   * Fill now, and once more when the store must have caught up with the stream. Who has `patienceMs` waits so
   * long for others, to share a call with them.
   */
  open(metric: MetricState, feed: Feed, patienceMs = 0): void {
    this.fill(metric, feed, patienceMs);
    if (feed.until !== null && this.hubNow() - feed.until > SETTLE_MS) return;
    // Those that were opened about the same time are filled again at the same time, in as few calls.
    const wait = SETTLE_MS + SLOT_MS - (Date.now() % SLOT_MS);
    window.setTimeout(() => {
      if (metric.feeds.has(feed)) this.fill(metric, feed, GATHER_MS);
    }, wait);
  }

  /** Fetch the window's span and merge it with what came live; windows of one view in one call. */
  fill(metric: MetricState, feed: Feed, patienceMs = 0): void {
    if (metric.meta.peek().kind === "text") {
      feed.state.value = "ready";
      return;
    }
    if (this.waiting.some((job) => job.feed === feed)) return;
    this.waiting.push({ metric, feed });
    if (this.gathering !== 0 && patienceMs > 0) return;
    clearTimeout(this.gathering);
    this.gathering = window.setTimeout(() => {
      this.gathering = 0;
      this.next();
    }, patienceMs);
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      const jobs = this.taken();
      if (jobs.length === 0) continue;
      this.running++;
      void this.fetch(jobs).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  /** Of what waits, those that one call can answer; what was closed meanwhile is dropped. */
  private taken(): Job[] {
    this.waiting = this.waiting.filter(({ metric, feed }) => metric.feeds.has(feed));
    const [first] = this.waiting;
    if (!first) return [];
    if (isRaw(first)) {
      this.waiting.shift();
      return [first];
    }
    const most = Math.min(MOST_METRICS, Math.floor(MOST_CELLS / pointsOf(first.feed)));
    const jobs: Job[] = [];
    const names = new Set<string>();
    let letters = 0;
    for (const job of this.waiting) {
      if (isRaw(job) || !alike(first.feed, job.feed) || names.has(job.metric.key)) continue;
      letters += encodeURIComponent(job.metric.key).length + 8;
      if (jobs.length > 0 && (jobs.length >= most || letters > MOST_LETTERS)) break;
      jobs.push(job);
      names.add(job.metric.key);
    }
    this.waiting = this.waiting.filter((job) => !jobs.includes(job));
    return jobs;
  }

  private async fetch(jobs: Job[]): Promise<void> {
    const [first] = jobs;
    if (!first) return;
    const { bucketMs } = first.feed;
    // Whole buckets, so that the hub's and the page's are the same.
    const points = pointsOf(first.feed);
    const to = (Math.floor((first.feed.until ?? this.hubNow()) / bucketMs) + 1) * bucketMs;
    const from = to - points * bucketMs;
    try {
      if (isRaw(first)) await this.fetchStates(first, from, to);
      else await this.fetchGrid(jobs, from, to, points);
      for (const { feed } of jobs) {
        feed.state.value = "ready";
        feed.seen.value = null;
      }
    } catch (error) {
      // One that the hub refuses (a metric that changed its kind) does not take the others with it.
      if (jobs.length > 1 && isRefusal(error)) {
        await Promise.all(jobs.map((job) => this.fetch([job])));
        return;
      }
      if (isUnreached(error)) await this.past?.show(jobs);
      for (const { feed } of jobs) fail(feed, error);
    }
    for (const { feed } of jobs) feed.changed();
  }

  private async fetchGrid(jobs: Job[], from: number, to: number, points: number): Promise<void> {
    const names = jobs.map(({ metric }) => metric.key);
    const { rows } = await this.client.grid(names, from, to, points);
    jobs.forEach(({ feed }, at) => {
      windowOf(feed).merge(bucketsOf(rows, at));
    });
    if (to - from <= QUALITY_SPAN_MS) void this.fetchDoubts(jobs, names, from, to, points);
  }

  /** Beside the values, for these are there at once; and where it fails they are there all the same. */
  private async fetchDoubts(
    jobs: Job[],
    names: string[],
    from: number,
    to: number,
    points: number,
  ): Promise<void> {
    try {
      const { rows } = await this.client.doubts(names, from, to, points);
      for (const [time, ...worst] of rows) {
        worst.forEach((quality, at) => {
          if (isDoubt(quality)) jobs[at]?.feed.window.mark(Number(time), quality);
        });
      }
      if (rows.length > 0) for (const { feed } of jobs) feed.changed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Enums have no mean: their samples come raw. */
  private async fetchStates({ metric, feed }: Job, from: number, to: number): Promise<void> {
    const rows = await this.client.raw(metric.device, metric.name, from, to, RAW_LIMIT);
    const window = windowOf(feed);
    const own = new SeriesWindow(window.spanMs, window.bucketMs);
    for (const [time, value, quality] of rows) {
      const number = drawn(metric.meta.peek(), value ?? null);
      if (number !== null) own.push(Number(time), number);
      if (isDoubt(quality)) window.mark(Number(time), quality);
    }
    window.merge(own.buckets());
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500;

const isUnreached = (error: unknown): boolean => error instanceof ApiError && error.status === 0;

function fail(feed: Feed, error: unknown): void {
  if (feed.state.peek() !== "ready") feed.state.value = "failed";
  feed.error.value = error instanceof Error ? error.message : String(error);
}

const isDoubt = (quality: unknown): quality is Doubt =>
  quality === "uncertain" || quality === "bad";

const isRaw = ({ metric }: Job): boolean => metric.meta.peek().kind === "enum";

const pointsOf = ({ window, bucketMs }: Feed): number => Math.ceil(window.spanMs / bucketMs) + 1;

/** The window that history goes into: a new one in place of one that was kept with coarser buckets. */
function windowOf(feed: Feed): SeriesWindow {
  const { window, bucketMs } = feed;
  if (window.bucketMs !== bucketMs) feed.window = new SeriesWindow(window.spanMs, bucketMs);
  return feed.window;
}

const alike = (one: Feed, other: Feed): boolean =>
  one.until === other.until &&
  one.window.spanMs === other.window.spanMs &&
  one.bucketMs === other.bucketMs;
