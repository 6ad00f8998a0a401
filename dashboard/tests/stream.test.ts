import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SILENT_MS, STALE_MS, Stream, type StreamStatus } from "../src/api/stream.ts";

/** The hub's side of one request, as the test plays it. */
class Connection {
  readonly lastEventId: string | null;
  private readonly answer: (response: Response) => void;
  private readonly break: (error: Error) => void;
  private writer: WritableStreamDefaultWriter<Uint8Array> | null = null;

  constructor(
    init: RequestInit,
    answer: (response: Response) => void,
    fail: (error: Error) => void,
  ) {
    this.lastEventId = new Headers(init.headers).get("last-event-id");
    this.answer = answer;
    this.break = fail;
    init.signal?.addEventListener("abort", () => fail(new Error("aborted")));
  }

  accept(): void {
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    this.writer = pipe.writable.getWriter();
    this.answer(new Response(pipe.readable));
  }

  refuse(status: number): void {
    this.answer(new Response("{}", { status }));
  }

  fail(): void {
    this.break(new TypeError("network"));
  }

  async say(text: string): Promise<void> {
    await this.writer?.write(new TextEncoder().encode(text));
    await settle();
  }

  async end(): Promise<void> {
    await this.writer?.close();
    await settle();
  }
}

let connections: Connection[];
let events: string[];
let states: StreamStatus["state"][];
let opened: boolean[];
let stream: Stream;

const settle = () => vi.advanceTimersByTimeAsync(0);
const latest = () => {
  const connection = connections.at(-1);
  if (!connection) throw new Error("the stream did not connect");
  return connection;
};

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  events = [];
  states = [];
  opened = [];
  stream = new Stream(
    "/api/v1/stream",
    {
      onEvents: (news) => events.push(...news.map((event) => `${event.type} ${event.data}`)),
      onStatus: (status) => states.push(status.state),
      onOpen: (resumed) => opened.push(resumed),
    },
    {
      fetch: (_url, init = {}) =>
        new Promise((resolve, reject) => connections.push(new Connection(init, resolve, reject))),
      now: () => Date.now(),
      setTimeout: (run, ms) => setTimeout(run, ms) as unknown as number,
      clearTimeout: (timer) => clearTimeout(timer),
    },
  );
  stream.start();
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

async function live(): Promise<void> {
  latest().accept();
  await settle();
  await latest().say("id: e-1\n\n");
}

test("it is live from the first answer, and hands on events", async () => {
  await live();
  await latest().say("id: e-2\nevent: samples\ndata: []\n\n");
  expect(states).toEqual(["live"]);
  expect(events).toEqual(["samples []"]);
  expect(opened).toEqual([false]);
});

test("after a loss it resumes after the last id", async () => {
  await live();
  await latest().say("id: e-2\nevent: log\ndata: x\n\nid: e-3\nevent: log\nda");
  await latest().end();
  expect(states).toEqual(["live", "reconnecting"]);
  await vi.advanceTimersByTimeAsync(500);
  expect(connections).toHaveLength(2);
  latest().accept();
  await settle();
  // The event of e-3 never came whole: it must come again, so its id does not count.
  expect(latest().lastEventId).toBe("e-2");
  expect(opened).toEqual([false, true]);
  expect(states).toEqual(["live", "reconnecting", "live"]);
});

test("it is stale when the loss lasts", async () => {
  await live();
  await latest().end();
  for (let spent = 0; spent < STALE_MS; spent += 500) {
    await vi.advanceTimersByTimeAsync(500);
    if (connections.length > 1) latest().fail();
    await settle();
  }
  expect(states).toEqual(["live", "reconnecting", "stale"]);
});

test("it comes back from stale without a reload", async () => {
  await live();
  await latest().end();
  await vi.advanceTimersByTimeAsync(500);
  for (let tries = 0; tries < 6; tries++) {
    latest().fail();
    await vi.advanceTimersByTimeAsync(8000);
  }
  expect(stream.status.state).toBe("stale");
  latest().accept();
  await settle();
  expect(stream.status.state).toBe("live");
});

test("a silent connection is given up, one that comments is kept", async () => {
  await live();
  await vi.advanceTimersByTimeAsync(SILENT_MS - 1000);
  await latest().say(": still here\n\n");
  await vi.advanceTimersByTimeAsync(SILENT_MS - 1000);
  expect(states).toEqual(["live"]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(states).toEqual(["live", "reconnecting"]);
});

test("a request that never is answered is given up too", async () => {
  await vi.advanceTimersByTimeAsync(SILENT_MS + 500);
  expect(connections.length).toBeGreaterThan(1);
});

test("401 ends it: signed out, no more tries", async () => {
  latest().refuse(401);
  await settle();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(states).toEqual(["signed_out"]);
  expect(connections).toHaveLength(1);
});

test("an error of the hub is tried again, ever more slowly", async () => {
  for (const wait of [500, 1000, 2000, 4000]) {
    const before = connections.length;
    latest().refuse(503);
    await settle();
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(connections).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(1);
    expect(connections).toHaveLength(before + 1);
  }
});

test("a nudge tries at once, and never opens a second connection", async () => {
  latest().fail();
  await settle();
  stream.nudge();
  stream.nudge();
  expect(connections).toHaveLength(2);
});
