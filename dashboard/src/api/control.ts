import type { CommandResult } from "./types.ts";

/** The hub refused a command (JSON-RPC error), or could not be asked. */
export class ControlError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "ControlError";
    this.code = code;
  }
}

export interface CommandRequest {
  device: string;
  command: string;
  params: Record<string, unknown>;
  ttl_ms: number;
}

interface Waiting {
  request: CommandRequest & { key: string };
  resolve: (result: CommandResult) => void;
  reject: (error: ControlError) => void;
  timer: number;
}

/** Time beyond a command's own time to live that the hub's answer may take. */
const GRACE_MS = 5000;
const RECONNECT_MS = 1000;

/**
 * Commands over the WebSocket. A command whose socket broke is asked for again with the same key,
 * which the hub answers with the first one's result: it runs once.
 */
export class Control {
  private readonly open: () => WebSocket;
  private readonly onUpdate: (result: CommandResult) => void;
  private socket: WebSocket | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  constructor(open: () => WebSocket, onUpdate: (result: CommandResult) => void) {
    this.open = open;
    this.onUpdate = onUpdate;
  }

  /** Send and wait for the final state. Rejects with ControlError. */
  send(request: CommandRequest): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      const timer = window.setTimeout(() => {
        this.waiting.delete(id);
        reject(new ControlError(0, "the hub did not answer; the trail of commands will tell"));
      }, request.ttl_ms + GRACE_MS);
      const key = newKey();
      this.waiting.set(id, { request: { ...request, key }, resolve, reject, timer });
      if (this.socket?.readyState === WebSocket.OPEN) this.write(id);
      else this.connect();
    });
  }

  private connect(): void {
    if (this.socket !== null) return;
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => {
      for (const id of this.waiting.keys()) this.write(id);
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.take(event.data);
    };
    socket.onclose = () => {
      this.socket = null;
      if (this.waiting.size > 0) window.setTimeout(() => this.reconnect(), RECONNECT_MS);
    };
  }

  private reconnect(): void {
    if (this.waiting.size > 0) this.connect();
  }

  private write(id: number): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.socket?.send(
      JSON.stringify({ jsonrpc: "2.0", id, method: "command.send", params: waiting.request }),
    );
  }

  private take(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: CommandResult;
      result?: CommandResult;
      error?: { code: number; message: string; data?: unknown };
    };
    if (message.method === "command.update" && message.params) this.onUpdate(message.params);
    if (message.id === undefined) return;
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    this.waiting.delete(message.id);
    window.clearTimeout(waiting.timer);
    if (message.error) {
      const { code, message: title, data } = message.error;
      waiting.reject(new ControlError(code, typeof data === "string" ? data : title));
    } else if (message.result) waiting.resolve(message.result);
  }
}

/** 128 random bits. `crypto.randomUUID` is there on secure origins only, and a hub on a LAN is none. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) =>
    part.toString(16).padStart(8, "0"),
  ).join("");
}
