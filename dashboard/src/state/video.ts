import { signal } from "@preact/signals";
import { iceServers, type Side, VideoError, WhepViewer } from "../api/whep.ts";
import { text } from "../text/catalogue.ts";
import { Attention, LEAVE_MS } from "./attention.ts";
import { Fallback } from "./fallback.ts";
import type { Overlay } from "./overlay.ts";
import type { VideoFigures } from "./videofigures.ts";

/**
 * `stalled`: connected, and the camera gives no picture. `denied`: this user may not look. `stream` and `still`: a
 * stream of JPEGs, and one a second, in the video's place; `failed`: not even these.
 */
export type VideoState =
  | "connecting"
  | "live"
  | "stalled"
  | "reconnecting"
  | "stream"
  | "still"
  | "failed"
  | "denied";

const FIRST_FRAME_MS = 8000;
const RETRY_MS = [1000, 2000, 5000, 15_000] as const;
const STALL_MS = 3000;

/** Keeps one camera's video playing: tries WHEP, lets JPEGs stand in with the reason, tries again. */
export class Video {
  readonly state = signal<VideoState>("connecting");
  readonly reason = signal("");
  readonly figures = signal<VideoFigures | null>(null);
  readonly fallback: Fallback;
  private readonly url: string;
  private readonly element: HTMLVideoElement;
  private viewer: WhepViewer | null = null;
  /** The one whose first frame came. */
  private shown: WhepViewer | null = null;
  private servers: RTCIceServer[] | null = null;
  private tries = 0;
  private timers: number[] = [];
  private before = { bytes: 0, at: 0 };
  private decoded = { frames: 0, at: 0 };
  private readonly overlay: Overlay;
  private readonly why: () => Promise<string | null>;
  private readonly attention: Attention;

  /** `base` is the camera's address; `why` asks the hub what is wrong with it. */
  constructor(
    base: string,
    element: HTMLVideoElement,
    overlay: Overlay,
    why: () => Promise<string | null>,
  ) {
    this.url = `${base}/whep`;
    this.fallback = new Fallback(base, this.figures, (state) => {
      this.state.value = state;
    });
    this.element = element;
    this.overlay = overlay;
    this.why = why;
    // Pictures are dear and begin at once; video takes a while to begin, and its first frame never comes unseen.
    this.attention = new Attention(
      document,
      () => (this.state.peek() === "live" ? LEAVE_MS : 0),
      () => this.rest(),
      () => this.wake(),
    );
  }

  async start(): Promise<void> {
    this.hangUp();
    if (typeof RTCPeerConnection === "undefined") {
      this.fail(text.camera.reasons.unsupported);
      return;
    }
    this.servers ??= await offeredServers(this.url);
    const viewer = new WhepViewer(this.url, this.servers, this.side());
    this.viewer = viewer;
    viewer.peer.onconnectionstatechange = () => {
      const broken = ["failed", "disconnected"].includes(viewer.peer.connectionState);
      if (this.viewer === viewer && broken) this.fail(text.camera.reasons.lost);
    };
    this.later(() => {
      if (this.viewer === viewer && this.shown !== viewer) this.fail(text.camera.reasons.timeout);
    }, FIRST_FRAME_MS);
    try {
      const stream = await viewer.open();
      if (this.viewer !== viewer) return;
      this.element.srcObject = stream;
      this.element.requestVideoFrameCallback(() => this.playing(viewer));
      await this.element.play();
    } catch (error) {
      if (this.viewer !== viewer) return;
      const denied = error instanceof VideoError && [401, 403].includes(error.status);
      this.fail(error instanceof Error ? error.message : String(error), denied);
    }
  }

  stop(): void {
    this.attention.stop();
    this.hangUp();
    this.fallback.stop();
    this.overlay.changed = () => {};
    this.element.srcObject = null;
  }

  /** Nobody looks: nothing is asked of the camera. */
  private rest(): boolean {
    if (document.pictureInPictureElement === this.element) return false;
    this.hangUp();
    this.fallback.rest();
    this.figures.value = null;
    if (["live", "stalled"].includes(this.state.peek())) this.state.value = "connecting";
    return true;
  }

  private wake(): void {
    // What stood in does so until video comes.
    if (this.fallback.picture.peek() !== "") this.fallback.start();
    void this.start();
  }

  private playing(viewer: WhepViewer): void {
    if (this.viewer !== viewer) return;
    this.shown = viewer;
    this.tries = 0;
    this.fallback.stop();
    this.reason.value = "";
    this.state.value = "live";
    this.before = { bytes: 0, at: 0 };
    this.decoded = { frames: 0, at: performance.now() };
    this.follow(viewer);
    this.timers.push(window.setInterval(() => void this.measure(viewer), 1000));
  }

  private fail(reason: string, denied = false): void {
    const was = this.state.peek();
    this.hangUp();
    this.reason.value = reason;
    if (was === "live" || was === "stalled" || was === "denied") {
      this.figures.value = null;
      this.state.value = "reconnecting";
    }
    if (denied) {
      this.fallback.stop();
      this.figures.value = null;
      this.state.value = "denied";
    } else this.fallback.start();
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)] ?? 15_000;
    this.later(() => void this.start(), wait);
  }

  private hangUp(): void {
    for (const timer of this.timers) window.clearInterval(timer);
    this.timers = [];
    this.viewer?.close();
    this.viewer = null;
    this.overlay.lost();
  }

  private later(run: () => void, ms: number): void {
    this.timers.push(window.setTimeout(run, ms));
  }

  /** A channel beside the video, where metrics are shown on it; none costs the hub nothing. */
  private side(): Side | undefined {
    this.overlay.changed = () => {
      if (this.overlay.picks.peek().length > 0) void this.start();
    };
    if (this.overlay.picks.peek().length === 0) return undefined;
    return {
      opened: (send) => {
        this.overlay.changed = () => send(this.overlay.selection());
        this.overlay.changed();
      },
      heard: (message) => this.overlay.take(message),
    };
  }

  /** Tell the overlay of every frame as it comes on screen. */
  private follow(viewer: WhepViewer): void {
    if (this.overlay.picks.peek().length === 0) return;
    const shown: VideoFrameRequestCallback = (_, frame) => {
      if (this.viewer !== viewer) return;
      this.overlay.show(frame.rtpTimestamp);
      this.element.requestVideoFrameCallback(shown);
    };
    this.element.requestVideoFrameCallback(shown);
  }

  /** The connection can stand while the camera gives nothing: say so, and why. */
  private async watch(viewer: WhepViewer, frames: number): Promise<void> {
    const now = performance.now();
    if (frames !== this.decoded.frames) {
      this.decoded = { frames, at: now };
      if (this.state.peek() === "stalled") {
        this.state.value = "live";
        this.reason.value = "";
      }
    } else if (now - this.decoded.at > STALL_MS) {
      this.state.value = "stalled";
      const reason = await this.why();
      if (this.viewer === viewer && this.state.peek() === "stalled") {
        this.reason.value = reason ?? text.camera.reasons.silent;
      }
    }
  }

  private async measure(viewer: WhepViewer): Promise<void> {
    const report = [...(await viewer.peer.getStats()).values()] as StatsEntry[];
    if (this.viewer !== viewer) return;
    const inbound = report.find((entry) => entry.type === "inbound-rtp" && entry.kind === "video");
    if (!inbound) return;
    void this.watch(viewer, inbound.framesDecoded ?? 0);
    const pair = report.find((entry) => entry.type === "candidate-pair" && entry.nominated);
    const codec = report.find((entry) => entry.id === inbound.codecId);
    const { bytesReceived: bytes = 0, timestamp: at } = inbound;
    const seconds = (at - this.before.at) / 1000;
    const known = this.before.at > 0 && seconds > 0;
    const kbps = known ? ((bytes - this.before.bytes) * 8) / 1000 / seconds : 0;
    this.before = { bytes, at };
    this.figures.value = {
      width: inbound.frameWidth ?? 0,
      height: inbound.frameHeight ?? 0,
      fps: inbound.framesPerSecond ?? 0,
      kbps,
      rttMs: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
      lost: inbound.packetsLost ?? 0,
      dropped: inbound.framesDropped ?? 0,
      codec: codec?.mimeType?.replace(/^video\//, "") ?? "",
    };
  }
}

/** What is read of WebRTC statistics (W3C webrtc-stats). */
interface StatsEntry {
  id: string;
  type: string;
  timestamp: number;
  kind?: string;
  nominated?: boolean;
  codecId?: string;
  mimeType?: string;
  bytesReceived?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  framesDecoded?: number;
  framesDropped?: number;
  packetsLost?: number;
  currentRoundTripTime?: number;
}

/** STUN and TURN servers that the hub is configured with; none where it offers none. */
async function offeredServers(url: string): Promise<RTCIceServer[]> {
  try {
    const response = await fetch(url, { method: "OPTIONS" });
    return iceServers(response.headers.get("link"));
  } catch {
    return [];
  }
}
