import type { KeptWindow } from "./database.ts";
import type { Memory } from "./memory.ts";
import { type Feed, type MetricState, SPARK_BUCKET_MS } from "./metric.ts";
import { type Bucket, SeriesWindow } from "./window.ts";

/** A window that a metric is shown in. */
interface Shown {
  metric: MetricState;
  feed: Feed;
}

const EACH = 4;
const BYTES_OF_DOUBT = 24;

/** A window to keep. */
export function packed(metric: string, window: SeriesWindow, time: number): KeptWindow {
  const all = window.buckets();
  const buckets = new Float64Array(EACH * all.length);
  all.forEach((bucket, at) => {
    buckets.set(bucket.slice(0, EACH), EACH * at);
  });
  const doubts = [...window.doubts];
  const bytes = buckets.byteLength + BYTES_OF_DOUBT * doubts.length;
  const { bucketMs, spanMs } = window;
  return { metric, bucketMs, spanMs, time, bytes, buckets, doubts };
}

/** The window that was kept. */
export function unpacked({ spanMs, bucketMs, buckets, doubts }: KeptWindow): SeriesWindow {
  const window = new SeriesWindow(spanMs, bucketMs);
  const all: Bucket[] = [];
  for (let at = 0; at < buckets.length; at += EACH) {
    const [time = 0, min = 0, max = 0, mean = 0] = buckets.subarray(at, at + EACH);
    all.push([time, min, max, mean, 1]);
  }
  window.merge(all);
  for (const [slot, doubt] of doubts) window.mark(slot, doubt);
  return window;
}

/** Fewer buckets than these are no trace. */
const LEAST_BUCKETS = 10;

/** Of what was kept of a metric, what shows most of a span, of those alike the finest; null where nothing does. */
export function bestOf(kept: readonly KeptWindow[], spanMs: number): KeptWindow | null {
  const covered = (one: KeptWindow) => Math.min(spanMs, one.spanMs);
  const [best] = kept
    .filter((one) => one.bucketMs <= spanMs / LEAST_BUCKETS)
    .sort((a, b) => covered(b) - covered(a) || a.bucketMs - b.bucketMs);
  return best ?? null;
}

/** What charts showed of history, kept in this browser for when the hub cannot be asked. */
export class Past {
  private readonly memory: Pick<Memory, "recallPast">;
  private readonly hubNow: () => number;
  /** The version at which a window was kept last. */
  private readonly kept = new WeakMap<SeriesWindow, number>();

  constructor(memory: Pick<Memory, "recallPast">, hubNow: () => number) {
    this.memory = memory;
    this.hubNow = hubNow;
  }

  /** Of these metrics' windows that move on, those that changed since they were last asked for. */
  changed(metrics: Iterable<MetricState>, sparks: boolean): KeptWindow[] {
    const found: KeptWindow[] = [];
    for (const metric of metrics) {
      for (const { window, until, seen } of metric.feeds) {
        const old = until !== null || seen.peek() !== null || window.length === 0;
        const left = !sparks && window.bucketMs === SPARK_BUCKET_MS;
        if (old || left || this.kept.get(window) === window.version) continue;
        this.kept.set(window, window.version);
        found.push(packed(metric.key, window, this.hubNow()));
      }
    }
    return found;
  }

  /** Show what was kept where history did not come; windows of which nothing was kept are left as they are. */
  async show(jobs: readonly Shown[]): Promise<void> {
    const empty = jobs.filter(({ feed }) => feed.state.peek() !== "ready");
    const kept = await this.memory.recallPast(empty.map(({ metric }) => metric.key));
    empty.forEach(({ feed }, at) => {
      const { spanMs } = feed.window;
      const best = bestOf(kept[at] ?? [], spanMs);
      // What came meanwhile is newer.
      if (best === null || feed.state.peek() === "ready") return;
      // Buckets finer than what was kept would be points, far apart.
      const window = new SeriesWindow(spanMs, Math.max(feed.bucketMs, best.bucketMs));
      window.seed(unpacked(best));
      window.merge([...window.buckets(), ...feed.window.buckets()]);
      for (const [slot, doubt] of feed.window.doubts) window.mark(slot, doubt);
      feed.window = window;
      feed.seen.value = best.time;
    });
  }
}
