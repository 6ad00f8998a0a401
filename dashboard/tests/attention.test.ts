import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Attention } from "../src/state/attention.ts";

class FakePage {
  hidden = false;
  turned: (() => void) | null = null;
  addEventListener = (_: string, run: () => void) => {
    this.turned = run;
  };
  removeEventListener = () => {
    this.turned = null;
  };

  turn(hidden: boolean): void {
    this.hidden = hidden;
    this.turned?.();
  }
}

function attended({ page = new FakePage(), patienceMs = 100, rests = true } = {}) {
  const told: string[] = [];
  const rest = () => {
    told.push("rest");
    return rests;
  };
  const attention = new Attention(
    page,
    () => patienceMs,
    rest,
    () => told.push("wake"),
  );
  return { page, told, attention };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a page that is left rests after a while and wakes when it is looked at", () => {
  const { page, told } = attended();
  page.turn(true);
  vi.advanceTimersByTime(99);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(["rest"]);
  page.turn(false);
  expect(told).toEqual(["rest", "wake"]);
});

test("who comes back soon finds everything as it was", () => {
  const { page, told } = attended();
  page.turn(true);
  vi.advanceTimersByTime(50);
  page.turn(false);
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([]);
});

test("a page that was opened behind others rests until it is looked at", () => {
  const page = new FakePage();
  page.hidden = true;
  const { told } = attended({ page, patienceMs: 0 });
  vi.runAllTimers();
  page.turn(false);
  expect(told).toEqual(["rest", "wake"]);
});

test("what would not rest is not woken, and what was stopped hears nothing", () => {
  const { page, told, attention } = attended({ rests: false });
  page.turn(true);
  vi.runAllTimers();
  page.turn(false);
  expect(told).toEqual(["rest"]);
  page.turn(true);
  attention.stop();
  vi.runAllTimers();
  expect(told).toEqual(["rest"]);
});
