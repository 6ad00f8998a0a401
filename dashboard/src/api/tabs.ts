import type { ServerEvent } from "./sse.ts";
import type { StreamStatus } from "./stream.ts";

/** What tabs of one browser say to one another. `from` is the sender; of two leads the higher rank stands. */
export type TabMessage =
  | { kind: "who"; from: string }
  | { kind: "here"; from: string }
  | { kind: "entered"; from: string }
  | { kind: "lead"; from: string; term: number; lastId: string; status: StreamStatus }
  | { kind: "news"; from: string; term: number; lastId: string; events: ServerEvent[] }
  | { kind: "status"; from: string; term: number; status: StreamStatus }
  | { kind: "leave"; from: string; term: number }
  | { kind: "nudge"; from: string };

/** The stream as a tab uses it, and as the tab that leads provides it to all. */
export interface Source {
  start(lastId: string): void;
  stop(): void;
  nudge(): void;
}

export interface TabsSinks {
  onEvent: (event: ServerEvent) => void;
  onStatus: (status: StreamStatus) => void;
  /** What came before is not known here: fetch it. */
  onOpen: (resumed: boolean) => void;
  /** Somebody came in by another tab: this one's session is not the browser's any more. */
  onEntered: () => void;
}

export interface TabsParts {
  /** Tells every other tab; what they say comes to `hear`. */
  post: (message: TabMessage) => void;
  id: string;
  setTimeout: (run: () => void, ms: number) => number;
  clearTimeout: (timer: number) => void;
}

/** A tab that leads answers within this, even busy. */
export const ANSWER_MS = 250;
/** When the leader said nothing for so long, it is asked whether it is still there. */
export const QUIET_MS = 5000;

/**
 * One connection for all tabs of a browser: HTTP/1.1 has six to a host, and each tab's stream would hold one.
 * The first tab leads and passes on what comes; when it goes, another resumes where it stopped.
 * By messages alone: under the hub's Trusted Types no SharedWorker can be made, and a hub on a LAN is no
 * secure origin, where there would be Web Locks.
 */
export class Tabs {
  leads = false;
  private readonly source: Source;
  private readonly sinks: TabsSinks;
  private readonly parts: TabsParts;
  private term = 0;
  private leader = "";
  private lastId = "";
  private timer = 0;
  private status: StreamStatus;
  /** Whether this tab ever took part in a stream that was live. */
  private joined = false;
  /** Tabs that were heard and did not leave: what nobody hears costs a leader a core's hundredth all the same. */
  private readonly others = new Set<string>();
  /** Whether there may be others that had no time to be heard. */
  private unsure = true;

  constructor(
    status: StreamStatus,
    source: (tabs: Tabs) => Source,
    sinks: TabsSinks,
    parts: TabsParts,
  ) {
    this.status = status;
    this.source = source(this);
    this.sinks = sinks;
    this.parts = parts;
  }

  start(): void {
    this.ask();
  }

  /** The tab goes: another may lead at once. */
  leave(): void {
    this.parts.clearTimeout(this.timer);
    this.parts.post({ kind: "leave", from: this.parts.id, term: this.term });
    this.stepDown();
  }

  /** A session began in this tab: the others are of one that was before. */
  enter(): void {
    this.parts.post({ kind: "entered", from: this.parts.id });
  }

  /** Try to connect at once. */
  nudge(): void {
    if (this.leads) this.source.nudge();
    else this.parts.post({ kind: "nudge", from: this.parts.id });
  }

  /** Of the tab that leads: what its stream brought. */
  passOn(events: ServerEvent[], lastId: string): void {
    if (events.length === 0 && lastId === this.lastId) return;
    this.lastId = lastId;
    for (const event of events) this.sinks.onEvent(event);
    if (!this.unsure && this.others.size === 0) return;
    this.parts.post({ kind: "news", from: this.parts.id, term: this.term, lastId, events });
  }

  passStatus(status: StreamStatus): void {
    this.status = status;
    this.sinks.onStatus(status);
    this.parts.post({ kind: "status", from: this.parts.id, term: this.term, status });
  }

  /** Another tab said something. */
  hear(message: TabMessage): void {
    if (message.kind === "leave") this.others.delete(message.from);
    else this.others.add(message.from);
    switch (message.kind) {
      case "who":
        if (this.leads) this.announce();
        return;
      case "nudge":
        if (this.leads) this.source.nudge();
        return;
      case "entered":
        this.sinks.onEntered();
        return;
      case "leave":
        if (message.from === this.leader) this.afterLeader();
        return;
      case "lead":
        this.hearLead(message);
        return;
      case "news":
      case "status":
        if (this.follows(message)) this.take(message);
    }
  }

  private hearLead(message: TabMessage & { kind: "lead" }): void {
    if (this.leads && !this.outranked(message)) {
      this.announce();
      return;
    }
    if (!this.follows(message)) return;
    // A tab that was frozen may not have been told all.
    if (this.joined && isBefore(this.lastId, message.lastId)) {
      this.lastId = message.lastId;
      this.sinks.onEvent({ type: "reset", data: "{}", id: message.lastId });
    }
    this.adopt(message.status);
  }

  private adopt(status: StreamStatus): void {
    const same = status.state === this.status.state && status.way === this.status.way;
    if (!same) this.sinks.onStatus(status);
    this.status = status;
    if (this.joined || status.state !== "live") return;
    this.joined = true;
    this.sinks.onOpen(this.lastId !== "");
  }

  private outranked(other: { from: string; term: number }): boolean {
    return other.term > this.term || (other.term === this.term && other.from > this.parts.id);
  }

  /** Whether the sender is the leader to follow: the known one, or one of higher rank. */
  private follows(message: { from: string; term: number }): boolean {
    if (message.from !== this.leader) {
      const newer =
        message.term > this.term ||
        (message.term === this.term && message.from > (this.leads ? this.parts.id : this.leader));
      if (!newer) return false;
      this.stepDown();
      this.leader = message.from;
      this.parts.post({ kind: "here", from: this.parts.id });
    }
    this.term = message.term;
    this.watch();
    return true;
  }

  private take(message: TabMessage & { kind: "news" | "status" }): void {
    if (message.kind === "status") {
      this.adopt(message.status);
      return;
    }
    // A new leader resumes where it stood itself, which may be before what this tab has.
    if (isBefore(message.lastId, this.lastId)) return;
    this.lastId = message.lastId;
    for (const event of message.events) this.sinks.onEvent(event);
  }

  private announce(): void {
    const { id: from } = this.parts;
    const { term, lastId, status } = this;
    this.parts.post({ kind: "lead", from, term, lastId, status });
  }

  private ask(): void {
    this.later(ANSWER_MS, () => this.lead());
    this.parts.post({ kind: "who", from: this.parts.id });
  }

  private watch(): void {
    this.later(QUIET_MS, () => this.ask());
  }

  /** The others heard it too: whoever waits shortest leads, and the rest hear that. */
  private afterLeader(): void {
    this.later(Math.floor(Math.random() * ANSWER_MS), () => this.lead());
  }

  private later(ms: number, run: () => void): void {
    this.parts.clearTimeout(this.timer);
    this.timer = this.parts.setTimeout(run, ms);
  }

  private lead(): void {
    this.leads = true;
    this.leader = this.parts.id;
    this.term++;
    this.joined = true;
    this.unsure = true;
    this.later(QUIET_MS, () => {
      this.unsure = false;
    });
    this.announce();
    this.source.start(this.lastId);
  }

  private stepDown(): void {
    if (this.leads) this.source.stop();
    this.leads = false;
  }
}

/** Whether an id (`<epoch>-<n>`) stands before another of the same epoch. */
export function isBefore(id: string, other: string): boolean {
  const [epoch, n] = id.split("-");
  const [otherEpoch, otherN] = other.split("-");
  return epoch === otherEpoch && Number(n) < Number(otherN);
}
