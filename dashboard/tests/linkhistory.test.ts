import { describe, expect, it } from "vitest";
import { traceOf } from "../src/state/linkhistory.ts";
import type { Bucket } from "../src/state/window.ts";

const MINUTE = 60_000;

const of = (name: string, points: [number, number][]) => {
  const buckets = points.map(([time, value]): Bucket => [time * MINUTE, 0, value, 0, 1]);
  return traceOf(name, buckets, MINUTE);
};

describe("a link's figure over time", () => {
  it("is nothing where nothing is stored", () => {
    expect(of("gaps", [])).toBeNull();
  });

  it("shows of a counter what it grew by", () => {
    const trace = of("crc_errors", [
      [1, 100],
      [2, 100],
      [3, 107],
    ]);
    expect(trace?.value).toEqual([0, 0, 7]);
    expect(trace?.summary).toBe(7);
  });

  it("takes a counter that is lower than before for one that began anew", () => {
    const trace = of("crc_errors", [
      [1, 100],
      [2, 4],
      [3, 5],
    ]);
    expect(trace?.value).toEqual([0, 4, 1]);
    expect(trace?.summary).toBe(5);
  });

  it("shows a gauge as it is, and its highest", () => {
    const trace = of("rtt_ms", [
      [1, 4],
      [2, 9],
      [3, 2],
    ]);
    expect(trace?.value).toEqual([4, 9, 2]);
    expect(trace?.summary).toBe(9);
  });

  it("leaves a hole where the hub was away", () => {
    const trace = of("rtt_ms", [
      [1, 4],
      [9, 5],
    ]);
    expect(trace?.time).toEqual([60, 120, 540]);
    expect(trace?.value).toEqual([4, null, 5]);
  });
});
