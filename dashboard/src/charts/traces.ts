import type uPlot from "uplot";
import type { Metric } from "../api/types.ts";
import { isState } from "../format/value.ts";
import type { SeriesWindow } from "../state/window.ts";
import { gapAfterMs } from "./scale.ts";

/** A window as a chart draws it: `shiftMs` later than it was. */
export interface Traced {
  window: SeriesWindow;
  metric: Metric;
  shiftMs: number;
}

export interface Parts {
  main: Traced;
  /** What it is compared with. */
  second: Traced | null;
}

type Cell = number | null | undefined;
type Column = ArrayLike<Cell>;

/**
 * uPlot's columns: time in seconds, max, min, the line where it is good, the line where it is doubtful, and the
 * compared line. `undefined` where only the other trace has a time, null where a line is interrupted.
 */
export function dataOf({ main, second }: Parts): uPlot.AlignedData {
  const { time, min, max, mean } = main.window.columns();
  // A state that was seen at all within a bucket is shown.
  const line = isState(main.metric) ? max : mean;
  const [good, doubtful] = byQuality(time, line, main);
  const own: Column[] = [max, min, good, doubtful];
  if (second === null) return [time, ...own, []] as uPlot.AlignedData;
  const other = second.window.columns();
  const later = Float64Array.from(other.time, (at) => shifted(at * 1000, second, main) / 1000);
  const { times, first, others } = union(time, later);
  const compared = isState(second.metric) ? other.max : other.mean;
  return [
    times,
    ...own.map((column) => spread(column, first)),
    spread(compared, others),
  ] as uPlot.AlignedData;
}

/** On the main trace's buckets, so that both have the same times. */
function shifted(ms: number, second: Traced, main: Traced): number {
  const { bucketMs } = main.window;
  return Math.floor((ms + second.shiftMs) / bucketMs) * bucketMs;
}

/** The line where all samples were good, and where not, with the way to its neighbours. */
function byQuality(time: Float64Array, line: Float64Array, { window }: Traced): [Column, Column] {
  if (window.doubts.size === 0) return [line, []];
  const doubt = Array.from(time, (at) => window.doubts.has(Math.round(at * 1000)));
  const good: Cell[] = Array.from(line, (value, at) => (doubt[at] ? null : value));
  const doubtful: Cell[] = Array.from(line, (value, at) =>
    doubt[at] || doubt[at - 1] || doubt[at + 1] ? value : null,
  );
  return [good, doubtful];
}

/** All times of both, ascending, and which place of each stands there (-1: none). */
export function union(
  one: ArrayLike<number>,
  other: ArrayLike<number>,
): { times: number[]; first: number[]; others: number[] } {
  const [times, first, others]: [number[], number[], number[]] = [[], [], []];
  let [a, b] = [0, 0];
  while (a < one.length || b < other.length) {
    const [left, right] = [
      one[a] ?? Number.POSITIVE_INFINITY,
      other[b] ?? Number.POSITIVE_INFINITY,
    ];
    times.push(Math.min(left, right));
    first.push(left <= right ? a++ : -1);
    others.push(right <= left ? b++ : -1);
  }
  return { times, first, others };
}

const spread = (column: Column, places: number[]): Cell[] =>
  places.map((place) => (place < 0 ? undefined : column[place]));

/** Where a trace pauses: pairs of places in `time` (s), more than `limitMs` apart, with nothing of `column` between. */
export function pauses(
  time: ArrayLike<number>,
  column: Column,
  from: number,
  to: number,
  limitMs: number,
): [number, number][] {
  const found: [number, number][] = [];
  let before = -1;
  for (let at = from; at <= to; at++) {
    if (column[at] === undefined) continue;
    if (before >= 0 && ((time[at] ?? 0) - (time[before] ?? 0)) * 1000 > limitMs) {
      found.push([before, at]);
    }
    before = at;
  }
  return found;
}

/** Places of a trace with a pause on both sides: what no line leads to or from, and is there all the same. */
export function lone(
  time: ArrayLike<number>,
  column: Column,
  [from, to]: readonly [number, number],
  limitMs: number,
): number[] {
  const found: number[] = [];
  let [before, at] = [-1, -1];
  const reaches = (one: number, other: number) =>
    one >= 0 &&
    (column[one] ?? null) !== null &&
    ((time[other] ?? 0) - (time[one] ?? 0)) * 1000 <= limitMs;
  for (let next = from; next <= to + 1; next++) {
    const ended = next > to;
    if (!ended && column[next] === undefined) continue;
    const drawn = at >= 0 && (column[at] ?? null) !== null;
    const goesOn = !ended && (column[next] ?? null) !== null && reaches(at, next);
    if (drawn && !reaches(before, at) && !goesOn) found.push(at);
    [before, at] = [at, next];
  }
  return found;
}

/** Stretches (pixels) in order, those that overlap as one. */
export function merged(stretches: readonly (readonly [number, number])[]): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of [...stretches].sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

/** How far apart two buckets of a trace may lie. */
export const pauseMs = ({ metric, window }: Traced): number =>
  gapAfterMs(metric.interval_ms, window.bucketMs);

/** Whether both can be read on one axis. */
export function shareAxis(one: Metric, other: Metric): boolean {
  if (one.kind !== other.kind) return false;
  if (one.kind === "enum") return one.options?.join() === other.options?.join();
  return one.kind === "boolean" || one.unit === other.unit;
}
