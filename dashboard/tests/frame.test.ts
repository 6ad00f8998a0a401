import { expect, test } from "vitest";
import { FrameScheduler } from "../src/state/frame.ts";

function rig() {
  const frames: (() => void)[] = [];
  let now = 0;
  const scheduler = new FrameScheduler(
    (run) => frames.push(run),
    () => now,
  );
  return { scheduler, frames, spend: (ms: number) => (now += ms) };
}

test("asking twice draws once", () => {
  const { scheduler, frames } = rig();
  let drawn = 0;
  const draw = () => drawn++;
  scheduler.ask(draw);
  scheduler.ask(draw);
  expect(frames).toHaveLength(1);
  frames[0]?.();
  expect(drawn).toBe(1);
});

test("what does not fit into a frame is drawn in the next, in order, and before what came later", () => {
  const { scheduler, frames, spend } = rig();
  const drawn: string[] = [];
  for (const name of ["a", "b", "c"]) {
    scheduler.ask(() => {
      drawn.push(name);
      spend(5);
    });
  }
  frames[0]?.();
  expect(drawn).toEqual(["a", "b"]);
  scheduler.ask(() => drawn.push("later"));
  expect(frames).toHaveLength(2);
  frames[1]?.();
  expect(drawn).toEqual(["a", "b", "c", "later"]);
});

test("a single drawing that is longer than the budget is drawn all the same", () => {
  const { scheduler, frames, spend } = rig();
  let drawn = 0;
  scheduler.ask(() => spend(50));
  scheduler.ask(() => drawn++);
  frames[0]?.();
  frames[1]?.();
  expect(drawn).toBe(1);
});
