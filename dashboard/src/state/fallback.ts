import { type Signal, signal } from "@preact/signals";
import { problem } from "../api/client.ts";
import { readPictures } from "../api/mjpeg.ts";
import { VideoError } from "../api/whep.ts";
import { text } from "../text/catalogue.ts";
import type { VideoFigures } from "./videofigures.ts";

/** What is on screen in the video's place. */
export type StandIn = "stream" | "still" | "failed";

const STILL_EVERY_MS = 1000;
const STALL_MS = 5000;
const MEASURE_MS = 1000;

/** Stands in for video: a stream of JPEGs, and where that breaks a still a second. */
export class Fallback {
  /** The address of the picture to show; empty where there is none. */
  readonly picture = signal("");
  /** Why there is no stream of pictures. */
  readonly reason = signal("");
  private readonly base: string;
  private readonly figures: Signal<VideoFigures | null>;
  private readonly changed: (state: StandIn) => void;
  private streaming: AbortController | null = null;
  private stilling: AbortController | null = null;
  private addresses: string[] = [];
  private size = { width: 0, height: 0 };

  /** `base` is the camera's address; `changed` hears what is on screen now, each time that it may be new. */
  constructor(
    base: string,
    figures: Signal<VideoFigures | null>,
    changed: (state: StandIn) => void,
  ) {
    this.base = base;
    this.figures = figures;
    this.changed = changed;
  }

  /** Stand in, from the stream on; where stills are shown, try the stream again behind them. */
  start(): void {
    if (this.streaming === null) void this.stream();
  }

  /** Ask for nothing more; the last picture stays until the next `start`. */
  rest(): void {
    this.streaming?.abort();
    this.stilling?.abort();
    this.streaming = this.stilling = null;
  }

  stop(): void {
    this.rest();
    this.picture.value = "";
    this.reason.value = "";
    this.forget(0);
  }

  /** Note how large the picture on screen is. */
  shown(width: number, height: number): void {
    this.size = { width, height };
  }

  private async stream(): Promise<void> {
    const own = new AbortController();
    this.streaming = own;
    const watch = new Watch(
      () => own.abort(),
      this.figures,
      () => this.size,
    );
    let why: string = text.camera.reasons.ended;
    try {
      await readPictures(`${this.base}/stream.mjpg`, own.signal, (jpeg) => {
        watch.came(jpeg.length);
        this.stilling?.abort();
        this.stilling = null;
        this.show(new Blob([jpeg], { type: "image/jpeg" }));
        this.changed("stream");
      });
    } catch (error) {
      why = own.signal.aborted ? text.camera.reasons.stalled : words(error);
    } finally {
      watch.end();
    }
    if (this.streaming !== own) return;
    this.streaming = null;
    this.reason.value = why;
    this.figures.value = null;
    if (this.stilling === null) void this.stills();
  }

  private async stills(): Promise<void> {
    const own = new AbortController();
    this.stilling = own;
    while (!own.signal.aborted) {
      try {
        const still = await Promise.race([
          this.still(own.signal),
          after(STALL_MS).then(() => null),
        ]);
        if (own.signal.aborted) return;
        if (still) this.show(still);
        this.changed(still ? "still" : "failed");
      } catch {
        if (own.signal.aborted) return;
        this.changed("failed");
      }
      await after(STILL_EVERY_MS);
    }
  }

  /** One still; the hub sends it again only where it is another. */
  private async still(signal: AbortSignal): Promise<Blob> {
    const response = await fetch(`${this.base}/snapshot.jpg`, { cache: "no-cache", signal });
    if (!response.ok) throw new VideoError(await problem(response), response.status);
    return response.blob();
  }

  private show(jpeg: Blob): void {
    const address = URL.createObjectURL(jpeg);
    this.addresses.push(address);
    this.picture.value = address;
    // The one before may be on its way to the screen yet.
    this.forget(2);
  }

  private forget(kept: number): void {
    while (this.addresses.length > kept) URL.revokeObjectURL(this.addresses.shift() ?? "");
  }
}

/** Ends a stream in which nothing comes any more, and tells its figures once a second. */
class Watch {
  private readonly stalled: () => void;
  private stall: number;
  private readonly measure: number;
  private pictures = 0;
  private bytes = 0;
  private since = performance.now();

  constructor(
    stalled: () => void,
    figures: Signal<VideoFigures | null>,
    size: () => { width: number; height: number },
  ) {
    this.stalled = stalled;
    this.stall = window.setTimeout(stalled, STALL_MS);
    this.measure = window.setInterval(() => {
      const seconds = (performance.now() - this.since) / 1000;
      figures.value = {
        ...size(),
        fps: this.pictures / seconds,
        kbps: (this.bytes * 8) / 1000 / seconds,
        rttMs: null,
        lost: null,
        dropped: null,
        codec: "JPEG",
      };
      this.pictures = this.bytes = 0;
      this.since = performance.now();
    }, MEASURE_MS);
  }

  came(bytes: number): void {
    this.pictures++;
    this.bytes += bytes;
    window.clearTimeout(this.stall);
    this.stall = window.setTimeout(this.stalled, STALL_MS);
  }

  end(): void {
    window.clearTimeout(this.stall);
    window.clearInterval(this.measure);
  }
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const words = (error: unknown): string =>
  error instanceof VideoError ? error.message : text.camera.reasons.unreachable;
