/** One event of an SSE stream. `id` is the last id seen up to it. */
export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

/** Splits the bytes of an event stream into events (WHATWG HTML, "Server-sent events"), however they are cut. */
export class SseParser {
  /** The id to resume after: that of the last block that came whole. */
  lastId: string;
  private id: string;
  private rest = "";
  private type = "";
  private data: string[] = [];
  private readonly decoder = new TextDecoder();

  constructor(lastId = "") {
    this.lastId = this.id = lastId;
  }

  /** Feed bytes; returns the events that they completed. */
  push(bytes: Uint8Array): ServerEvent[] {
    const text = this.rest + this.decoder.decode(bytes, { stream: true });
    const events: ServerEvent[] = [];
    let start = 0;
    for (;;) {
      const end = nextBreak(text, start);
      if (end === null) break;
      this.line(text.slice(start, end.at), events);
      start = end.at + end.length;
    }
    this.rest = text.slice(start);
    return events;
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === "") {
      this.lastId = this.id;
      if (this.data.length > 0) {
        events.push({ type: this.type || "message", data: this.data.join("\n"), id: this.lastId });
      }
      this.type = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
  }
}

function nextBreak(text: string, from: number): { at: number; length: number } | null {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10) return { at, length: 1 };
    if (code === 13) {
      // A CR at the very end may be half of a CRLF: wait for what follows.
      if (at + 1 === text.length) return null;
      return { at, length: text.charCodeAt(at + 1) === 10 ? 2 : 1 };
    }
  }
  return null;
}
