import type { Quality } from "../api/types.ts";

/** A view on one metric's recent past, as a chart draws it. Times in seconds, as uPlot wants them. */
export interface Columns {
  time: Float64Array;
  min: Float64Array;
  max: Float64Array;
  mean: Float64Array;
}

/** A bucket of history: start in UTC ms, then min, max, mean, count. */
export type Bucket = readonly [number, number, number, number, number];

/** What of a bucket is not good: its worst sample. */
export type Doubt = Exclude<Quality, "good">;

const FIRST_CAPACITY = 64;

/**
 * The last `spanMs` of one metric in buckets of `bucketMs`, aligned to the epoch: history and live samples
 * meet in the same buckets. Columns are typed arrays that slide: a view of them costs nothing.
 */
export class SeriesWindow {
  readonly spanMs: number;
  readonly bucketMs: number;
  /** Grows with every change, so that a chart knows whether to draw. */
  version = 0;
  /** The buckets (their start in UTC ms) with samples that are not good, also those without a number. */
  readonly doubts = new Map<number, Doubt>();
  private capacity = FIRST_CAPACITY;
  private start = 0;
  private end = 0;
  private time = new Float64Array(FIRST_CAPACITY);
  private min = new Float64Array(FIRST_CAPACITY);
  private max = new Float64Array(FIRST_CAPACITY);
  private mean = new Float64Array(FIRST_CAPACITY);
  private count = new Float64Array(FIRST_CAPACITY);

  constructor(spanMs: number, bucketMs: number) {
    this.spanMs = spanMs;
    this.bucketMs = Math.max(1, bucketMs);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Fold in a live sample. Late ones find their bucket; those older than the window are dropped. */
  push(timeMs: number, value: number): void {
    if (!Number.isFinite(value) || !Number.isFinite(timeMs)) return;
    const slot = this.slotOf(timeMs);
    const last = this.length > 0 ? this.timeAt(this.end - 1) : Number.NEGATIVE_INFINITY;
    if (slot < last - this.spanMs) return;
    if (slot > last) this.trim(slot);
    const at = slot > last ? this.append(slot) : this.find(slot);
    this.fold(at, value);
    this.version++;
  }

  /** Remember that a sample of that time was not good. */
  mark(timeMs: number, quality: Doubt): void {
    const slot = this.slotOf(timeMs);
    if (this.doubts.get(slot) === "bad") return;
    this.doubts.set(slot, quality);
    this.version++;
  }

  /**
   * Show what another window held of this span until history comes: whatever comes takes its place, and what
   * history does not know of goes.
   */
  seed(other: SeriesWindow): void {
    for (const [time, min, max, mean] of other.buckets()) {
      const slot = this.slotOf(time);
      const last = this.end - 1;
      if (this.length > 0 && this.timeAt(last) > slot) continue;
      if (this.length === 0 || this.timeAt(last) < slot) {
        this.put(this.append(slot), [slot, min, max, mean, 0]);
        continue;
      }
      this.min[last] = Math.min(this.min[last] ?? min, min);
      this.max[last] = Math.max(this.max[last] ?? max, max);
    }
    if (other.bucketMs === this.bucketMs) {
      for (const [slot, quality] of other.doubts) this.doubts.set(slot, quality);
    }
    this.version++;
  }

  /** The bucket nearest to a time, no further from it than `withinMs`. */
  near(timeMs: number, withinMs: number): Bucket | null {
    let [low, high] = [this.start, this.end - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeAt(middle) < timeMs) low = middle + 1;
      else high = middle;
    }
    const places = [low, low - 1].filter((at) => at >= this.start && at < this.end);
    const away = (at: number) => Math.abs(this.timeAt(at) - timeMs);
    const [nearest] = places.sort((a, b) => away(a) - away(b));
    return nearest === undefined || away(nearest) > withinMs ? null : this.bucketAt(nearest);
  }

  /**
   * Take in history. Where a bucket is known both from history and live, the one that saw more samples
   * stands: the store commits late, the live stream may have been away.
   */
  merge(buckets: readonly Bucket[]): void {
    const byTime = new Map<number, Bucket>();
    for (const bucket of buckets) byTime.set(this.slotOf(bucket[0]), bucket);
    for (let at = this.start; at < this.end; at++) {
      const known = byTime.get(this.timeAt(at));
      const count = this.count[at] ?? 0;
      if (count > 0 && (known === undefined || known[4] < count)) {
        byTime.set(this.timeAt(at), this.bucketAt(at));
      }
    }
    this.start = this.end = 0;
    for (const slot of [...byTime.keys()].sort((a, b) => a - b)) {
      const bucket = byTime.get(slot);
      if (bucket) this.put(this.append(slot), bucket);
    }
    this.version++;
  }

  /** Forget what lies before the window that ends at `nowMs`; one bucket more stays, for the line's entry. */
  trim(nowMs: number): void {
    const oldest = nowMs - this.spanMs - 2 * this.bucketMs;
    while (this.start < this.end && this.timeAt(this.start) < oldest) this.start++;
    for (const slot of this.doubts.keys()) if (slot < oldest) this.doubts.delete(slot);
  }

  /** What is held, as buckets. */
  buckets(): Bucket[] {
    const all: Bucket[] = [];
    for (let at = this.start; at < this.end; at++) all.push(this.bucketAt(at));
    return all;
  }

  /** Views, valid until the next change. */
  columns(): Columns {
    const view = (column: Float64Array) => column.subarray(this.start, this.end);
    return {
      time: view(this.time),
      min: view(this.min),
      max: view(this.max),
      mean: view(this.mean),
    };
  }

  private bucketAt(at: number): Bucket {
    const { min, max, mean, count } = this;
    return [this.timeAt(at), min[at] ?? 0, max[at] ?? 0, mean[at] ?? 0, count[at] ?? 0];
  }

  private slotOf(timeMs: number): number {
    return Math.floor(timeMs / this.bucketMs) * this.bucketMs;
  }

  /** Undo the conversion to seconds without its rounding. */
  private timeAt(at: number): number {
    return Math.round((this.time[at] ?? 0) * 1000);
  }

  private find(slot: number): number {
    let at = this.end - 1;
    while (at >= this.start && this.timeAt(at) > slot) at--;
    if (at >= this.start && this.timeAt(at) === slot) return at;
    return this.insert(at + 1, slot);
  }

  private insert(before: number, slot: number): number {
    const offset = before - this.start;
    this.append(slot);
    const at = this.start + offset;
    for (const column of this.all()) column.copyWithin(at + 1, at, this.end - 1);
    this.time[at] = slot / 1000;
    this.count[at] = 0;
    return at;
  }

  private append(slot: number): number {
    if (this.end === this.capacity) this.makeRoom();
    const at = this.end++;
    this.time[at] = slot / 1000;
    this.count[at] = 0;
    return at;
  }

  /** Slide to the front when half is free; double when it is not. */
  private makeRoom(): void {
    const grow = this.start < this.capacity / 2;
    if (grow) this.capacity *= 2;
    for (const name of ["time", "min", "max", "mean", "count"] as const) {
      const kept = this[name].subarray(this.start, this.end);
      if (grow) {
        this[name] = new Float64Array(this.capacity);
        this[name].set(kept);
      } else {
        this[name].copyWithin(0, this.start, this.end);
      }
    }
    this.end -= this.start;
    this.start = 0;
  }

  private fold(at: number, value: number): void {
    const count = this.count[at] ?? 0;
    if (count === 0) {
      this.put(at, [0, value, value, value, 1]);
      return;
    }
    this.min[at] = Math.min(this.min[at] ?? value, value);
    this.max[at] = Math.max(this.max[at] ?? value, value);
    const mean = this.mean[at] ?? 0;
    this.mean[at] = mean + (value - mean) / (count + 1);
    this.count[at] = count + 1;
  }

  private put(at: number, bucket: Bucket): void {
    this.min[at] = bucket[1];
    this.max[at] = bucket[2];
    this.mean[at] = bucket[3];
    this.count[at] = bucket[4];
  }

  private all(): Float64Array[] {
    return [this.time, this.min, this.max, this.mean, this.count];
  }
}

/** The buckets of the metric at that place among those asked for, from rows of `GET samples?points=`. */
export function bucketsOf(rows: readonly (readonly unknown[])[], place: number): Bucket[] {
  const buckets: Bucket[] = [];
  const first = 1 + 4 * place;
  for (const row of rows) {
    // Of a time at which only others have a bucket.
    if (row[first + 3] === null || row[first + 3] === undefined) continue;
    const bucket = [row[0], row[first], row[first + 1], row[first + 2], row[first + 3]].map(Number);
    if (bucket.every(Number.isFinite)) buckets.push(bucket as unknown as Bucket);
  }
  return buckets;
}
