import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StreamStatus } from "../src/api/stream.ts";
import { ANSWER_MS, isBefore, QUIET_MS, type TabMessage, Tabs } from "../src/api/tabs.ts";

/** A tab in a browser of some: what one posts, the others hear. */
class Tab {
  readonly tabs: Tabs;
  readonly got: string[] = [];
  readonly states: string[] = [];
  started: string[] = [];
  opened = 0;
  entered = 0;
  /** Kinds of what it posted. */
  readonly posted: string[] = [];
  /** Frozen: neither hears nor runs. */
  frozen = false;

  constructor(id: string, all: Tab[]) {
    const status: StreamStatus = { state: "connecting", since: 0, heard: 0 };
    this.tabs = new Tabs(
      status,
      () => ({
        start: (lastId) => this.started.push(lastId),
        stop: () => this.started.push("stop"),
        nudge: () => this.started.push("nudge"),
      }),
      {
        onEvent: (event) => this.got.push(event.data),
        onStatus: (news) => this.states.push(news.state),
        onOpen: () => this.opened++,
        onEntered: () => this.entered++,
      },
      {
        id,
        post: (message: TabMessage) => {
          this.posted.push(message.kind);
          for (const tab of all) if (tab !== this && !tab.frozen) tab.tabs.hear(message);
        },
        setTimeout: (run, ms) => setTimeout(() => this.frozen || run(), ms) as unknown as number,
        clearTimeout: (timer) => clearTimeout(timer),
      },
    );
    all.push(this);
  }

  live(): void {
    this.tabs.passStatus({ state: "live", since: 1, heard: 1 });
  }

  bring(n: number): void {
    this.tabs.passOn([{ type: "samples", data: `${n}`, id: `e-${n}` }], `e-${n}`);
  }
}

let all: Tab[];

beforeEach(() => {
  vi.useFakeTimers();
  all = [];
});

afterEach(() => {
  vi.useRealTimers();
});

function open(...ids: string[]): Tab[] {
  return ids.map((id) => {
    const tab = new Tab(id, all);
    tab.tabs.start();
    vi.advanceTimersByTime(ANSWER_MS);
    return tab;
  });
}

const leaders = () => all.filter((tab) => tab.tabs.leads);

test("the first tab connects; the others do not, and get what it gets", () => {
  const [first, second, third] = open("b", "a", "c") as [Tab, Tab, Tab];
  first.live();
  first.bring(1);
  expect(leaders()).toEqual([first]);
  expect([second.started, third.started]).toEqual([[], []]);
  expect([first.got, second.got, third.got]).toEqual([["1"], ["1"], ["1"]]);
  expect(second.states).toEqual(["live"]);
  expect(second.opened).toBe(1);
});

test("a tab that opens while the stream is live is told so", () => {
  const [first] = open("a") as [Tab];
  first.live();
  const [late] = open("b") as [Tab];
  expect(late.states).toEqual(["live"]);
  expect(late.opened).toBe(1);
});

test("when the leader leaves, exactly one of the others resumes after the last id", () => {
  const [first, ...others] = open("a", "b", "c", "d") as [Tab, ...Tab[]];
  first.live();
  first.bring(7);
  first.tabs.leave();
  first.frozen = true;
  vi.advanceTimersByTime(ANSWER_MS * 2);
  expect(leaders()).toHaveLength(1);
  expect(others.flatMap((tab) => tab.started)).toEqual(["e-7"]);
});

test("a leader that crashed is missed and replaced", () => {
  const [first, second] = open("a", "b") as [Tab, Tab];
  first.live();
  first.bring(3);
  first.frozen = true;
  vi.advanceTimersByTime(QUIET_MS + 2 * ANSWER_MS);
  expect(second.tabs.leads).toBe(true);
  expect(second.started).toEqual(["e-3"]);
});

test("a leader that is only quiet stays", () => {
  const [first, second] = open("a", "b") as [Tab, Tab];
  first.live();
  vi.advanceTimersByTime(QUIET_MS * 5);
  expect(leaders()).toEqual([first]);
  expect(second.started).toEqual([]);
});

test("a leader that was frozen and thaws steps down", () => {
  const [first, second] = open("z", "a") as [Tab, Tab];
  first.live();
  first.frozen = true;
  vi.advanceTimersByTime(QUIET_MS + 2 * ANSWER_MS);
  second.live();
  first.frozen = false;
  second.bring(9);
  expect(leaders()).toEqual([second]);
  expect(first.started).toEqual(["", "stop"]);
  expect(first.got).toEqual(["9"]);
});

test("of two that began at once one remains", () => {
  const tabs = ["a", "b", "c"].map((id) => new Tab(id, all));
  for (const tab of tabs) tab.tabs.start();
  vi.advanceTimersByTime(ANSWER_MS);
  expect(leaders()).toHaveLength(1);
});

test("what a new leader brings again is not taken twice", () => {
  const [first, second, third] = open("a", "b", "c") as [Tab, Tab, Tab];
  first.live();
  for (const n of [1, 2, 3]) first.bring(n);
  first.tabs.leave();
  first.frozen = true;
  vi.advanceTimersByTime(ANSWER_MS);
  const leader = second.tabs.leads ? second : third;
  const other = leader === second ? third : second;
  leader.bring(2);
  leader.bring(4);
  expect(other.got).toEqual(["1", "2", "3", "4"]);
});

test("a tab that is alone tells nobody what its stream brings, until another opens", () => {
  const [first] = open("a") as [Tab];
  first.live();
  vi.advanceTimersByTime(QUIET_MS);
  first.posted.length = 0;
  first.bring(1);
  expect(first.posted).toEqual([]);
  const [second] = open("b") as [Tab];
  first.bring(2);
  expect([first.got, second.got]).toEqual([["1", "2"], ["2"]]);
  second.tabs.leave();
  second.frozen = true;
  first.posted.length = 0;
  first.bring(3);
  expect(first.posted).toEqual([]);
});

test("a new leader goes on telling tabs that were there before it", () => {
  const [first, second, third] = open("a", "b", "c") as [Tab, Tab, Tab];
  first.live();
  first.tabs.leave();
  first.frozen = true;
  vi.advanceTimersByTime(ANSWER_MS);
  const leader = second.tabs.leads ? second : third;
  const other = leader === second ? third : second;
  vi.advanceTimersByTime(10 * QUIET_MS);
  leader.bring(5);
  expect(other.got).toEqual(["5"]);
});

test("a tab that missed news while it was frozen fetches everything anew", () => {
  const [first, second] = open("a", "b") as [Tab, Tab];
  first.live();
  first.bring(1);
  second.frozen = true;
  first.bring(2);
  second.frozen = false;
  vi.advanceTimersByTime(QUIET_MS);
  expect(second.got).toEqual(["1", "{}"]);
  first.bring(3);
  expect(second.got).toEqual(["1", "{}", "3"]);
});

test("a session that begins in one tab is told to the others alone", () => {
  const [first, second] = open("a", "b") as [Tab, Tab];
  second.tabs.enter();
  expect([first.entered, second.entered]).toEqual([1, 0]);
});

test("ids are ordered within an epoch only", () => {
  expect(isBefore("e-9", "e-10")).toBe(true);
  expect(isBefore("e-10", "e-10")).toBe(false);
  expect(isBefore("f-1", "e-10")).toBe(false);
  expect(isBefore("e-1", "")).toBe(false);
});
