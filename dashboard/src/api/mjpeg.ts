import { problem } from "./client.ts";
import { VideoError } from "./whep.ts";

const HEAD_LIMIT = 4096;
const PART_LIMIT = 32 << 20;
const HEAD_END = [13, 10, 13, 10] as const;

/** The parts of a `multipart/x-mixed-replace` body (RFC 2046, 5.1) that tell their length. Pure. */
export class PartReader {
  private held = new Uint8Array(0);

  /** Take what came; gives the bodies of the parts that are whole now. Throws where the form is another. */
  take(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const data = new Uint8Array(this.held.length + chunk.length);
    data.set(this.held);
    data.set(chunk, this.held.length);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    for (;;) {
      const begin = bodyBegin(data, at);
      if (begin === null) break;
      const length = bodyLength(data.subarray(at, begin));
      if (begin + length > data.length) break;
      parts.push(data.slice(begin, begin + length));
      at = begin + length;
    }
    this.held = data.slice(at);
    return parts;
  }
}

/** Read a stream of JPEGs until it ends, which is an error too. Throws VideoError, and what `signal` gives. */
export async function readPictures(
  url: string,
  signal: AbortSignal,
  taken: (jpeg: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body)
    throw new VideoError(await problem(response), response.status);
  const parts = new PartReader();
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    for (const part of parts.take(value)) taken(part);
  }
}

/** Where a part's body begins; null where its head is not whole. */
function bodyBegin(data: Uint8Array, at: number): number | null {
  for (let end = at; end + 4 <= data.length; end++) {
    if (HEAD_END.every((byte, index) => data[end + index] === byte)) return end + 4;
    if (end - at > HEAD_LIMIT) throw new VideoError("a part of the stream has no head");
  }
  return null;
}

function bodyLength(head: Uint8Array): number {
  const told = /^content-length:\s*(\d+)\s*$/im.exec(new TextDecoder().decode(head))?.[1];
  const length = Number(told ?? Number.NaN);
  if (!(length <= PART_LIMIT)) throw new VideoError("a part of the stream tells no length");
  return length;
}
