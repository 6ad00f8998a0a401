import { problem } from "./client.ts";

/** Why there is no video, for people. */
export class VideoError extends Error {
  override name = "VideoError";
  /** HTTP's, where the hub answered; else 0. */
  readonly status: number;

  constructor(message: string, status = 0) {
    super(message);
    this.status = status;
  }
}

/** Who talks with the hub beside the video. */
export interface Side {
  opened: (send: (message: string) => void) => void;
  heard: (message: string) => void;
}

const GATHER_MS = 500;
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;
const SERVER = new RegExp(`<((?:stun|turn)s?:[^>]+)>((?:;\\s*[\\w-]+=${QUOTED})*)`, "g");

/** One WebRTC viewer by WHEP (draft-ietf-wish-whep): offer with all candidates, answer, media, DELETE. */
export class WhepViewer {
  readonly peer: RTCPeerConnection;
  private readonly url: string;
  private resource: string | null = null;
  private closed = false;

  /** `servers` as the hub offered them before, if any; with `side` there is a data channel. */
  constructor(url: string, servers: RTCIceServer[], side?: Side) {
    this.url = url;
    this.peer = new RTCPeerConnection({ iceServers: servers });
    if (!side) return;
    const channel = this.peer.createDataChannel("telemetry");
    channel.onopen = () =>
      side.opened((message) => {
        if (channel.readyState === "open") channel.send(message);
      });
    channel.onmessage = (event) => side.heard(String(event.data));
  }

  /** Negotiate; resolves with the stream when the answer is set. Throws VideoError. */
  async open(): Promise<MediaStream> {
    const stream = new MediaStream();
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.ontrack = (event) => stream.addTrack(event.track);
    await this.peer.setLocalDescription(await this.peer.createOffer());
    await gathered(this.peer);
    const response = await this.post(this.peer.localDescription?.sdp ?? "");
    this.resource = response.headers.get("location");
    const sdp = await response.text();
    if (this.closed) {
      void this.release();
      throw new VideoError("closed");
    }
    await this.peer.setRemoteDescription({ type: "answer", sdp });
    return stream;
  }

  /** Hang up, here and on the hub. */
  close(): void {
    this.closed = true;
    // The hub first: it would learn of the end by the peer, and not know what to DELETE.
    void this.release().finally(() => this.peer.close());
  }

  private async post(sdp: string): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.url, {
        method: "POST",
        headers: { "content-type": "application/sdp" },
        body: sdp,
      });
    } catch {
      throw new VideoError("the hub cannot be reached");
    }
    if (response.status !== 201) throw new VideoError(await problem(response), response.status);
    return response;
  }

  private async release(): Promise<void> {
    const resource = this.resource;
    this.resource = null;
    if (resource === null) return;
    await fetch(resource, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}

/** ICE servers of `Link: <stun:…>; rel="ice-server"` headers (RFC 8288). */
export function iceServers(link: string | null): RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  for (const [, urls = "", params = ""] of (link ?? "").matchAll(SERVER)) {
    const get = (name: string) =>
      new RegExp(`;\\s*${name}=${QUOTED}`).exec(params)?.[1]?.replace(/\\(.)/g, "$1");
    if (get("rel") !== "ice-server") continue;
    const [username, credential] = [get("username"), get("credential")];
    servers.push({ urls, ...(username && { username }), ...(credential && { credential }) });
  }
  return servers;
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") return resolve();
    const timer = setTimeout(resolve, GATHER_MS);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
  });
}
