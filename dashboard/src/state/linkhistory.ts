import type { Bucket } from "./window.ts";

/** One figure over time, as a chart takes it: seconds, and values or null where nothing is stored. */
export interface Trace {
  name: string;
  time: number[];
  value: (number | null)[];
  /** Of a counter what it grew by in all, of a gauge its highest. */
  summary: number;
}

export const GAUGES = ["rtt_ms", "outbox_depth"];
export const SHOWN = [
  "crc_errors",
  "resyncs",
  "gaps",
  "resends",
  "rtt_ms",
  "resets",
  "outbox_depth",
  "outbox_dropped",
];

/** A figure's stored buckets as a trace: gauges as they are, counters as their growth from bucket to bucket. */
export function traceOf(name: string, buckets: readonly Bucket[], bucketMs: number): Trace | null {
  const points = buckets.map(([at, , max]) => ({ at, value: max }));
  if (points.length === 0) return null;
  const gauge = GAUGES.includes(name);
  const trace: Trace = { name, time: [], value: [], summary: 0 };
  let before: { at: number; value: number } | null = null;
  for (const point of points) {
    if (before && point.at - before.at > 2 * bucketMs) {
      trace.time.push((before.at + bucketMs) / 1000);
      trace.value.push(null);
    }
    const value = gauge ? point.value : grown(before?.value ?? point.value, point.value);
    trace.time.push(point.at / 1000);
    trace.value.push(value);
    trace.summary = gauge ? Math.max(trace.summary, value) : trace.summary + value;
    before = point;
  }
  return trace;
}

/** By how much a counter grew; one that is lower than before began anew. */
function grown(before: number, now: number): number {
  return now >= before ? now - before : now;
}
