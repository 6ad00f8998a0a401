import { signal } from "@preact/signals";
import { iceServers, WhepViewer } from "../api/whep.ts";
import { text } from "../text/en.ts";

export type VideoState = "connecting" | "live" | "reconnecting" | "still" | "failed";

export interface VideoFigures {
  width: number;
  height: number;
  fps: number;
  kbps: number;
  rttMs: number | null;
  lost: number;
  dropped: number;
  codec: string;
}

const FIRST_FRAME_MS = 8000;
const RETRY_MS = [1000, 2000, 5000, 15_000] as const;

/** Keeps one camera's video playing: tries WHEP, falls back to stills with the reason, tries again. */
export class Video {
  readonly state = signal<VideoState>("connecting");
  readonly reason = signal("");
  readonly figures = signal<VideoFigures | null>(null);
  private readonly url: string;
  private readonly element: HTMLVideoElement;
  private viewer: WhepViewer | null = null;
  private servers: RTCIceServer[] | null = null;
  private tries = 0;
  private timers: number[] = [];
  private before = { bytes: 0, at: 0 };

  constructor(url: string, element: HTMLVideoElement) {
    this.url = url;
    this.element = element;
  }

  async start(): Promise<void> {
    this.hangUp();
    if (typeof RTCPeerConnection === "undefined") {
      this.reason.value = text.camera.reasons.unsupported;
      this.state.value = "still";
      return;
    }
    this.servers ??= await offeredServers(this.url);
    const viewer = new WhepViewer(this.url, this.servers);
    this.viewer = viewer;
    viewer.peer.onconnectionstatechange = () => {
      const broken = ["failed", "disconnected"].includes(viewer.peer.connectionState);
      if (this.viewer === viewer && broken) this.fail(text.camera.reasons.lost);
    };
    this.later(() => {
      if (this.viewer === viewer && this.state.peek() !== "live") {
        this.fail(text.camera.reasons.timeout);
      }
    }, FIRST_FRAME_MS);
    try {
      const stream = await viewer.open();
      if (this.viewer !== viewer) return;
      this.element.srcObject = stream;
      this.element.requestVideoFrameCallback(() => this.playing(viewer));
      await this.element.play();
    } catch (error) {
      if (this.viewer === viewer) this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  stop(): void {
    this.hangUp();
    this.element.srcObject = null;
  }

  /** The fallback failed too, or works again. */
  stillShown(shown: boolean): void {
    if (this.state.peek() === "live" || this.state.peek() === "connecting") return;
    this.state.value = shown ? "still" : "failed";
  }

  private playing(viewer: WhepViewer): void {
    if (this.viewer !== viewer) return;
    this.tries = 0;
    this.reason.value = "";
    this.state.value = "live";
    this.before = { bytes: 0, at: 0 };
    this.timers.push(window.setInterval(() => void this.measure(viewer), 1000));
  }

  private fail(reason: string): void {
    const was = this.state.peek();
    this.hangUp();
    this.figures.value = null;
    this.reason.value = reason;
    this.state.value = was === "live" ? "reconnecting" : was === "failed" ? "failed" : "still";
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)] ?? 15_000;
    this.later(() => void this.start(), wait);
  }

  private hangUp(): void {
    for (const timer of this.timers) window.clearInterval(timer);
    this.timers = [];
    this.viewer?.close();
    this.viewer = null;
  }

  private later(run: () => void, ms: number): void {
    this.timers.push(window.setTimeout(run, ms));
  }

  private async measure(viewer: WhepViewer): Promise<void> {
    const report = [...(await viewer.peer.getStats()).values()] as StatsEntry[];
    if (this.viewer !== viewer) return;
    const inbound = report.find((entry) => entry.type === "inbound-rtp" && entry.kind === "video");
    if (!inbound) return;
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
