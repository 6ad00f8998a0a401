import type { Metric } from "../api/types.ts";
import { isState } from "../format/value.ts";
import type { Columns, SeriesWindow } from "../state/window.ts";
import { gapAfterMs, valueRange } from "./scale.ts";

/** Where on a sheet, in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What is drawn, as SVG's path data (SVG 2, 9.3), "" for nothing. */
export interface Paths {
  /** A line along the mean, steps for booleans and enums. */
  trace: string;
  /** An area from min to max, or under the steps. */
  band: string;
  /** Marks under what is of uncertain quality, or bad. */
  uncertain: string;
  bad: string;
}

const AIR_PX = 3;
const MARK_PX = 2;
const LONE_PX = 2;

type Scale = (value: number) => number;

/** The last span of a window, ending at `untilMs`; nothing where nothing was measured. */
export function sparkPaths(box: Box, window: SeriesWindow, metric: Metric, untilMs: number): Paths {
  const columns = window.columns();
  const { time, min, max } = columns;
  const from = untilMs - window.spanMs;
  const x = (ms: number) =>
    box.left + Math.min(1, Math.max(0, (ms - from) / window.spanMs)) * box.width;
  const drawn = marks(box, window, x);
  if (time.length === 0) return drawn;
  const [low, high] = valueRange(metric, least(min), most(max));
  const room = box.height - 2 * AIR_PX;
  const y = (value: number) => box.top + AIR_PX + (1 - (value - low) / (high - low)) * room;
  const limit = gapAfterMs(metric.interval_ms, window.bucketMs) / 1000;
  for (let [first, last] of runs(time, limit)) {
    // Of what lies before the span one place stays, for the line's entry.
    while (first < last && (time[first + 1] ?? 0) * 1000 <= from) first++;
    if ((time[last] ?? 0) * 1000 < from) continue;
    if (first === last) addLone(drawn, columns, first, x, y);
    else if (isState(metric)) addSteps(drawn, columns, first, last, x, y, y(low));
    else addRun(drawn, columns, first, last, x, y);
  }
  return drawn;
}

/** First and last index of each stretch of `time` (s) without a pause of more than `limit` (s). */
export function runs(time: ArrayLike<number>, limit: number): [number, number][] {
  const found: [number, number][] = [];
  let first = 0;
  for (let at = 1; at <= time.length; at++) {
    if (at < time.length && (time[at] ?? 0) - (time[at - 1] ?? 0) <= limit) continue;
    found.push([first, at - 1]);
    first = at;
  }
  return found;
}

const point = (x: number, y: number): string => `${tenth(x)} ${tenth(y)} `;
const tenth = (px: number): number => Math.round(px * 10) / 10;

function addRun(
  to: Paths,
  { time, min, max, mean }: Columns,
  first: number,
  last: number,
  x: Scale,
  y: Scale,
): void {
  let [line, above, below] = ["", "", ""];
  for (let at = first; at <= last; at++) {
    const left = x((time[at] ?? 0) * 1000);
    line += point(left, y(mean[at] ?? 0));
    above += point(left, y(max[at] ?? 0));
    below = point(left, y(min[at] ?? 0)) + below;
  }
  to.trace += `M${line}`;
  to.band += `M${above}${below}Z`;
}

/** A place between two gaps: no line leads there, and it is seen all the same. */
function addLone(
  to: Paths,
  { time, min, max, mean }: Columns,
  at: number,
  x: Scale,
  y: Scale,
): void {
  const left = tenth(x((time[at] ?? 0) * 1000) - LONE_PX);
  const [high, low] = [tenth(y(max[at] ?? 0)), tenth(y(min[at] ?? 0))];
  to.trace += `M${left} ${tenth(y(mean[at] ?? 0))}h${LONE_PX}`;
  to.band += `M${left} ${high}h${LONE_PX}V${low}h${-LONE_PX}Z`;
}

function addSteps(
  to: Paths,
  { time, max }: Columns,
  first: number,
  last: number,
  x: Scale,
  y: Scale,
  ground: number,
): void {
  const at = (index: number) => tenth(x((time[index] ?? 0) * 1000));
  let line = point(at(first), y(max[first] ?? 0));
  for (let index = first + 1; index <= last; index++) {
    line += `H${at(index)}V${tenth(y(max[index] ?? 0))}`;
  }
  to.trace += `M${line}`;
  to.band += `M${line}V${tenth(ground)}H${at(first)}Z`;
}

function marks(box: Box, window: SeriesWindow, x: Scale): Paths {
  const drawn: Paths = { trace: "", band: "", uncertain: "", bad: "" };
  const top = tenth(box.top + box.height - MARK_PX);
  for (const [slot, quality] of window.doubts) {
    const left = tenth(x(slot));
    const width = Math.max(1, tenth(x(slot + window.bucketMs) - left));
    drawn[quality] += `M${left} ${top}h${width}v${MARK_PX}h${-width}Z`;
  }
  return drawn;
}

function least(column: Float64Array): number {
  let low = Number.POSITIVE_INFINITY;
  for (const value of column) if (value < low) low = value;
  return low;
}

function most(column: Float64Array): number {
  let high = Number.NEGATIVE_INFINITY;
  for (const value of column) if (value > high) high = value;
  return high;
}
