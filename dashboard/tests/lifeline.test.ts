import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lifeline } from "../src/api/lifeline.ts";
import { CHANCE_MS, PACE_MS, POLL_MS } from "../src/api/poll.ts";

/** What comes through between this page and the hub. */
const path = { stream: false, longPoll: true, plain: true };
let seconds: number;
let states: string[];
let events: string[];
let resumes: boolean[];
let line: Lifeline;

async function answer(url: string): Promise<Response> {
  if (url.includes("/stream")) {
    if (path.stream) return new Response(new ReadableStream());
    throw new TypeError("network");
  }
  if (url.includes("wait=") ? !path.longPoll : !path.plain) throw new TypeError("network");
  const items = [
    { device: "d", metric: "m", value: ++seconds, quality: "good", source_time: seconds * 1000 },
    { device: "d", metric: "still", value: 1, quality: "good", source_time: 1 },
  ];
  return new Response(JSON.stringify({ items, next: null }), { headers: { etag: `"${seconds}"` } });
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(path, { stream: false, longPoll: true, plain: true });
  seconds = 0;
  states = [];
  events = [];
  resumes = [];
  line = new Lifeline(
    "/api/v1",
    {
      onEvents: (news) => events.push(...news.map((event) => `${event.type} ${event.data}`)),
      onStatus: ({ state, way }) => {
        const now = way ? `${state} ${way}` : state;
        if (states.at(-1) !== now) states.push(now);
      },
      onOpen: (resumed) => resumes.push(resumed),
    },
    {
      fetch: (url) => answer(String(url)),
      now: () => Date.now(),
      setTimeout: (run, ms) => setTimeout(run, ms) as unknown as number,
      clearTimeout: (timer) => clearTimeout(timer),
    },
  );
});

afterEach(() => {
  line.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("where the stream does not come through, values come by long poll, and it is said", async () => {
  line.start("");
  await pass(CHANCE_MS + 10 * PACE_MS);
  expect(states.at(-1)).toBe("live long_poll");
  expect(events.some((event) => event.startsWith('samples [["d","m",'))).toBe(true);
});

test("a value that did not change is brought once", async () => {
  line.start("");
  await pass(CHANCE_MS + 10 * PACE_MS);
  expect(events.filter((event) => event.includes("still")).length).toBeLessThanOrEqual(1);
});

test("where long polls are cut as well, values are asked for plainly", async () => {
  path.longPoll = false;
  line.start("");
  await pass(CHANCE_MS + 3 * PACE_MS + 3 * POLL_MS);
  expect(states.at(-1)).toBe("live poll");
});

test("the stream takes over again as soon as it comes through", async () => {
  line.start("");
  await pass(CHANCE_MS + 4 * PACE_MS);
  path.stream = true;
  await pass(10_000);
  expect(states.at(-1)).toBe("live");
  const before = seconds;
  await pass(5000);
  expect(seconds).toBe(before);
});

test("a hub that is gone is not polled as if it were there", async () => {
  path.plain = path.longPoll = false;
  line.start("");
  await pass(30_000);
  expect(states).toEqual(["stale"]);
});
