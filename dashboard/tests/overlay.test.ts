import { expect, test } from "vitest";
import { FrameClock, Overlay, PICKS_LIMIT, type Row, Trace } from "../src/state/overlay.ts";

const row = (time: number, value: number): Row => ["board", "temp", time, value, "good"];

class Memory {
  kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
}

test("the value of a moment is the last at or before it, also where samples came out of order", () => {
  const trace = new Trace();
  for (const time of [1000, 3000, 2000]) trace.push(row(time, time));
  expect([999, 1000, 1999, 2000, 9000].map((time) => trace.at(time)?.[3])).toEqual([
    undefined,
    1000,
    1000,
    2000,
    3000,
  ]);
});

test("a sample that comes twice is there once, and old ones go but for the one that still holds", () => {
  const trace = new Trace();
  for (const time of [0, 1000, 1000, 16_500]) trace.push(row(time, time));
  expect(trace.at(900)).toBeNull();
  expect(trace.at(16_000)?.[3]).toBe(1000);
});

test("no flood of samples grows a trace without end", () => {
  const trace = new Trace();
  for (let time = 0; time < 5000; time++) trace.push(row(time, time));
  expect(trace.at(4000)).toBeNull();
  expect(trace.at(4999)?.[3]).toBe(4999);
});

test("a frame's time follows from its RTP timestamp, before and after the clock was told and where it wraps", () => {
  const clock = new FrameClock();
  expect(clock.timeOf(5)).toBeNull();
  clock.tell(0xffffffff, 1_000_000);
  expect(clock.timeOf(89)).toBe(1_000_001);
  expect(clock.timeOf(0xffffffff - 9000)).toBe(999_900);
  expect(clock.timeOf(undefined)).toBeNull();
  expect(clock.timeOf(0x7fffffff)).toBeNull();
});

test("values are those of the frame on screen, and the newest where no clock is known", () => {
  const overlay = new Overlay("front", new Memory());
  overlay.toggle("board", "temp");
  overlay.take(JSON.stringify({ samples: [row(1000, 1), row(2000, 2), row(3000, 3)], dropped: 0 }));
  expect(overlay.shown.value[0]?.value).toBe(3);
  overlay.take(JSON.stringify({ clock: { rtp: 90_000, time: 2000 } }));
  overlay.show(90_000 + 45_000);
  expect([overlay.time.value, overlay.shown.value[0]?.value]).toEqual([2500, 2]);
  overlay.lost();
  expect([overlay.time.value, overlay.shown.value[0]?.value]).toEqual([null, null]);
});

test("the choice is kept for each camera, told to the hub, and bounded", () => {
  const memory = new Memory();
  const overlay = new Overlay("front", memory);
  const told: string[] = [];
  overlay.changed = () => void told.push(overlay.selection());
  overlay.toggle("board", "temp");
  expect(new Overlay("front", memory).picks.value).toEqual([["board", "temp"]]);
  expect(new Overlay("back", memory).picks.value).toEqual([]);
  overlay.toggle("board", "temp");
  expect(new Overlay("front", memory).picks.value).toEqual([]);
  expect(told).toEqual(['{"select":[["board","temp"]]}', '{"select":[]}']);
  for (let at = 0; at < 40; at++) overlay.toggle("board", `m${at}`);
  expect(overlay.picks.value.length).toBe(PICKS_LIMIT);
});

test.each(["x", "[]", '{"front": 7}', '{"front": [["a"], "b", [1, 2], null]}'])(
  "what a browser kept and nobody understands is left out: %s",
  (kept) => {
    const memory = new Memory();
    memory.setItem("outpost.overlay", kept);
    expect(new Overlay("front", memory).picks.value).toEqual([]);
  },
);
