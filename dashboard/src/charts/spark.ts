import type { Metric } from "../api/types.ts";
import { isState } from "../format/value.ts";
import type { SeriesWindow } from "../state/window.ts";
import { gapAfterMs, valueRange } from "./scale.ts";

/** Where on a sheet, in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Ink {
  trace: string;
  band: string;
  warn: string;
  bad: string;
}

const AIR_PX = 3;
const MARK_PX = 2;

/**
 * The last span of a window, ending at `untilMs`: a band from min to max and a line along the mean, steps for
 * booleans and enums, nothing where nothing was measured, and a mark under what is not of good quality.
 */
export function drawSpark(
  pen: CanvasRenderingContext2D,
  box: Box,
  window: SeriesWindow,
  metric: Metric,
  untilMs: number,
  ink: Ink,
): void {
  const { time, min, max, mean } = window.columns();
  const from = untilMs - window.spanMs;
  const x = (ms: number) => box.left + ((ms - from) / window.spanMs) * box.width;
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, box.width, box.height);
  pen.clip();
  drawMarks(pen, box, window, x, ink);
  if (time.length > 0) {
    const [low, high] = valueRange(metric, least(min), most(max));
    const room = box.height - 2 * AIR_PX;
    const y = (value: number) => box.top + AIR_PX + (1 - (value - low) / (high - low)) * room;
    const limit = gapAfterMs(metric.interval_ms, window.bucketMs) / 1000;
    for (const [first, last] of runs(time, limit)) {
      if (isState(metric)) drawSteps(pen, time, max, first, last, x, y, y(low), ink);
      else drawRun(pen, { time, min, max, mean }, first, last, x, y, ink);
    }
  }
  pen.restore();
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

interface Traced {
  time: Float64Array;
  min: Float64Array;
  max: Float64Array;
  mean: Float64Array;
}
type Scale = (value: number) => number;

function drawRun(
  pen: CanvasRenderingContext2D,
  of: Traced,
  first: number,
  last: number,
  x: Scale,
  y: Scale,
  ink: Ink,
): void {
  const at = (column: Float64Array, index: number) => column[index] ?? 0;
  pen.beginPath();
  for (let i = first; i <= last; i++) pen.lineTo(x(at(of.time, i) * 1000), y(at(of.max, i)));
  for (let i = last; i >= first; i--) pen.lineTo(x(at(of.time, i) * 1000), y(at(of.min, i)));
  pen.fillStyle = ink.band;
  pen.fill();
  pen.beginPath();
  for (let i = first; i <= last; i++) pen.lineTo(x(at(of.time, i) * 1000), y(at(of.mean, i)));
  pen.strokeStyle = ink.trace;
  pen.stroke();
}

function drawSteps(
  pen: CanvasRenderingContext2D,
  time: Float64Array,
  value: Float64Array,
  first: number,
  last: number,
  x: Scale,
  y: Scale,
  ground: number,
  ink: Ink,
): void {
  const line = new Path2D();
  for (let i = first; i <= last; i++) {
    const left = x((time[i] ?? 0) * 1000);
    if (i > first) line.lineTo(left, y(value[i - 1] ?? 0));
    line.lineTo(left, y(value[i] ?? 0));
  }
  const area = new Path2D(line);
  area.lineTo(x((time[last] ?? 0) * 1000), ground);
  area.lineTo(x((time[first] ?? 0) * 1000), ground);
  pen.fillStyle = ink.band;
  pen.fill(area);
  pen.strokeStyle = ink.trace;
  pen.stroke(line);
}

function drawMarks(
  pen: CanvasRenderingContext2D,
  box: Box,
  window: SeriesWindow,
  x: Scale,
  ink: Ink,
): void {
  for (const [slot, quality] of window.doubts) {
    const left = x(slot);
    pen.fillStyle = quality === "bad" ? ink.bad : ink.warn;
    const width = Math.max(1, x(slot + window.bucketMs) - left);
    pen.fillRect(left, box.top + box.height - MARK_PX, width, MARK_PX);
  }
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
