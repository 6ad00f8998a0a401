import { type ServerEvent, SseParser } from "./sse.ts";

/**
 * - `connecting`: nothing was ever received on this page
 * - `live`: bytes came within the last SILENT_MS
 * - `reconnecting`: the connection is gone, and was here less than STALE_MS ago
 * - `stale`: nothing came for longer than that; what is on screen is old
 * - `signed_out`: the hub does not know this session
 */
export type StreamState = "connecting" | "live" | "reconnecting" | "stale" | "signed_out";

export interface StreamStatus {
  state: StreamState;
  /** Since when the state holds (browser's clock). */
  since: number;
  /** When bytes last came, 0 before the first (browser's clock). */
  heard: number;
  /** How values come where it is not by the stream itself. */
  way?: "long_poll" | "poll";
}

/** The hub comments every 15 s; without a byte for this long the connection is dead, whatever TCP says. */
export const SILENT_MS = 22_000;
export const STALE_MS = 10_000;
export const RETRY_MS = [500, 1000, 2000, 4000, 8000] as const;

export interface StreamParts {
  fetch: typeof fetch;
  now: () => number;
  setTimeout: (run: () => void, ms: number) => number;
  clearTimeout: (timer: number) => void;
}

export interface StreamSinks {
  /** What came, perhaps nothing, and the id to resume after. */
  onEvents: (events: ServerEvent[], lastId: string) => void;
  onStatus: (status: StreamStatus) => void;
  /** The connection is open; `resumed` says that the hub was asked to continue after an id. */
  onOpen: (resumed: boolean) => void;
  /** A try failed, or the connection was lost. */
  onFailure?: () => void;
}

/**
 * The live stream: SSE by fetch, so that comments count as signs of life and a 401 is seen.
 * Resumes after the last id; backs off between tries; one connection at a time.
 */
export class Stream {
  status: StreamStatus;
  private readonly url: string;
  private readonly parts: StreamParts;
  private readonly sinks: StreamSinks;
  private lastId = "";
  private tries = 0;
  private abort: AbortController | null = null;
  private retryTimer = 0;
  private silentTimer = 0;
  private staleTimer = 0;
  private stopped = true;

  constructor(url: string, sinks: StreamSinks, parts: StreamParts) {
    this.url = url;
    this.sinks = sinks;
    this.parts = parts;
    this.status = { state: "connecting", since: parts.now(), heard: 0 };
  }

  /** Begin, after the event with this id where one is given. */
  start(lastId = ""): void {
    if (!this.stopped) return;
    this.stopped = false;
    if (lastId) this.lastId = lastId;
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.abort?.abort();
    for (const timer of [this.retryTimer, this.silentTimer, this.staleTimer]) {
      this.parts.clearTimeout(timer);
    }
  }

  /** Try at once: the browser came back online, or the page back to the front. */
  nudge(): void {
    if (this.stopped || this.status.state === "live" || this.abort !== null) return;
    this.parts.clearTimeout(this.retryTimer);
    void this.connect();
  }

  private async connect(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.listen(abort);
    try {
      const response = await this.parts.fetch(this.url, {
        headers: {
          accept: "text/event-stream",
          ...(this.lastId && { "last-event-id": this.lastId }),
        },
        cache: "no-store",
        signal: abort.signal,
      });
      if (response.status === 401) {
        this.stop();
        this.enter("signed_out");
        return;
      }
      if (!response.ok || response.body === null) throw new Error(`${response.status}`);
      await this.read(response.body, abort);
    } catch {
      // Every way in which a connection ends is answered below in the same way.
    }
    if (this.abort === abort) this.lost();
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const parser = new SseParser(this.lastId);
    this.tries = 0;
    this.heard(abort);
    this.sinks.onOpen(this.lastId !== "");
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || abort.signal.aborted) return;
      this.heard(abort);
      const events = parser.push(value);
      // Also an id without an event counts: the hub says with it from where a resume would begin.
      this.lastId = parser.lastId;
      this.sinks.onEvents(events, this.lastId);
    }
  }

  private heard(abort: AbortController): void {
    this.status.heard = this.parts.now();
    this.parts.clearTimeout(this.staleTimer);
    this.staleTimer = 0;
    if (this.status.state !== "live") this.enter("live");
    this.listen(abort);
  }

  private listen(abort: AbortController): void {
    this.parts.clearTimeout(this.silentTimer);
    this.silentTimer = this.parts.setTimeout(() => {
      abort.abort();
      if (this.abort === abort) this.lost();
    }, SILENT_MS);
  }

  private lost(): void {
    this.abort = null;
    this.parts.clearTimeout(this.silentTimer);
    if (this.stopped) return;
    if (this.status.state === "live") this.enter("reconnecting");
    if (this.staleTimer === 0 && this.status.state !== "stale") {
      this.staleTimer = this.parts.setTimeout(() => this.enter("stale"), STALE_MS);
    }
    this.sinks.onFailure?.();
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)] ?? 8000;
    this.retryTimer = this.parts.setTimeout(() => void this.connect(), wait);
  }

  private enter(state: StreamState): void {
    this.status = { state, since: this.parts.now(), heard: this.status.heard };
    this.sinks.onStatus(this.status);
  }
}
