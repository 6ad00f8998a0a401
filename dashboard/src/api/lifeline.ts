import { Poll } from "./poll.ts";
import type { ServerEvent } from "./sse.ts";
import { Stream, type StreamParts, type StreamSinks, type StreamStatus } from "./stream.ts";
import type { Source } from "./tabs.ts";

/** The live stream; and, for as long as it does not come through, polling in its place. */
export class Lifeline implements Source {
  private readonly stream: Stream;
  private readonly poll: Poll;
  private readonly sinks: StreamSinks;
  private readonly now: () => number;
  private polling = false;
  private lastId = "";

  constructor(api: string, sinks: StreamSinks, parts: StreamParts) {
    this.sinks = sinks;
    this.now = parts.now;
    this.stream = new Stream(
      `${api}/stream`,
      {
        ...sinks,
        onEvents: (events, lastId) => this.fromStream(events, lastId),
        onStatus: (status) => this.takeStatus(status),
        onFailure: () => this.poll.start(),
      },
      parts,
    );
    this.poll = new Poll(
      `${api}/latest`,
      {
        onReach: () => this.stream.nudge(),
        onEvents: (events) => this.sinks.onEvents(events, this.lastId),
        onWay: (way) => this.takeWay(way),
      },
      parts,
    );
  }

  start(lastId: string): void {
    this.stream.start(lastId);
  }

  stop(): void {
    this.stream.stop();
    this.poll.stop();
    this.polling = false;
  }

  nudge(): void {
    this.stream.nudge();
  }

  private fromStream(events: ServerEvent[], lastId: string): void {
    this.lastId = lastId;
    this.sinks.onEvents(events, lastId);
  }

  private takeStatus(status: StreamStatus): void {
    if (status.state === "live" || status.state === "signed_out") {
      this.polling = false;
      this.poll.stop();
    }
    // While polling brings values, that the stream does not is no news.
    if (!this.polling) this.sinks.onStatus(status);
  }

  private takeWay(way: "long_poll" | "poll" | null): void {
    this.polling = way !== null;
    const now = this.now();
    this.sinks.onStatus(
      way === null ? this.stream.status : { state: "live", since: now, heard: now, way },
    );
  }
}
