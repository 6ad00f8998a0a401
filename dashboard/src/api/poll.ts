import type { ServerEvent } from "./sse.ts";
import type { StreamParts } from "./stream.ts";
import type { LiveSample, Page, Sample } from "./types.ts";

export const POLL_MS = 2000;
/** Two long polls start at least this far apart: a busy hub has news at any time. */
export const PACE_MS = 500;
/** How long the stream gets, once the hub answers, before polling takes its place. */
export const CHANCE_MS = 3000;
const WAIT_S = 20;
/** What only the stream would tell (a device that went) is fetched this often. */
const RELOAD_MS = 10_000;

export type PollWay = "long_poll" | "poll";
type Latest = Page<Sample & { device: string; metric: string }>;

export interface PollSinks {
  /** The hub answers plain requests: the stream may try again now. */
  onReach: () => void;
  onEvents: (events: ServerEvent[]) => void;
  /** Values come in this way; null when they no longer do. */
  onWay: (way: PollWay | null) => void;
}

/**
 * Where the live stream does not come through (a proxy that buffers or cuts it), the last values by
 * `latest`: by long poll, and where that is cut as well, plainly every POLL_MS.
 */
export class Poll {
  running = false;
  private readonly url: string;
  private readonly parts: StreamParts;
  private readonly sinks: PollSinks;
  private readonly seen = new Map<string, number>();
  private tag = "";
  private reloadAt = 0;
  private abort = new AbortController();

  constructor(url: string, sinks: PollSinks, parts: StreamParts) {
    this.url = url;
    this.sinks = sinks;
    this.parts = parts;
  }

  /** Try; ends by itself when the hub does not answer at all. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.abort = new AbortController();
    const { signal } = this.abort;
    void this.run(signal).finally(() => {
      if (this.abort.signal === signal) this.running = false;
    });
  }

  stop(): void {
    this.abort.abort();
    this.running = false;
  }

  private async run(signal: AbortSignal): Promise<void> {
    this.tag = "";
    if ((await this.ask(0, signal)) === null) return;
    this.sinks.onReach();
    await this.sleep(CHANCE_MS);
    if (signal.aborted) return;
    await this.follow("long_poll", signal);
    if (!signal.aborted) await this.follow("poll", signal);
    if (!signal.aborted) this.sinks.onWay(null);
  }

  /** Until two requests in a row fail. */
  private async follow(way: PollWay, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (failures < 2 && !signal.aborted) {
      const events = await this.ask(way === "long_poll" ? WAIT_S : 0, signal);
      if (signal.aborted) return;
      if (events === null) failures++;
      else {
        failures = 0;
        this.sinks.onWay(way);
        this.sinks.onEvents(events);
      }
      await this.sleep(way === "long_poll" ? PACE_MS : POLL_MS);
    }
  }

  /** What is new; null when the request failed. */
  private async ask(waitS: number, signal: AbortSignal): Promise<ServerEvent[] | null> {
    try {
      const response = await this.parts.fetch(waitS > 0 ? `${this.url}?wait=${waitS}` : this.url, {
        headers: { accept: "application/json", ...(this.tag && { "if-none-match": this.tag }) },
        cache: "no-store",
        signal,
      });
      if (response.status === 304) return [];
      if (!response.ok) return null;
      const { items } = (await response.json()) as Latest;
      this.tag = response.headers.get("etag") ?? "";
      return this.news(items);
    } catch {
      return null;
    }
  }

  private news(items: Latest["items"]): ServerEvent[] {
    const samples: LiveSample[] = [];
    for (const { device, metric, value, quality, source_time: time } of items) {
      const key = `${device}/${metric}`;
      if (this.seen.get(key) === time) continue;
      this.seen.set(key, time);
      samples.push([device, metric, time, value, quality]);
    }
    const events = samples.length > 0 ? [event("samples", JSON.stringify(samples))] : [];
    if (this.parts.now() < this.reloadAt) return events;
    this.reloadAt = this.parts.now() + RELOAD_MS;
    return [event("reload", ""), ...events];
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.setTimeout(resolve, ms));
  }
}

const event = (type: string, data: string): ServerEvent => ({ type, data, id: "" });
