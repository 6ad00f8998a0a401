import { expect, test } from "vitest";
import { PartReader } from "../src/api/mjpeg.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function body(parts: Uint8Array[]): Uint8Array {
  const pieces = parts.flatMap((part) => [
    bytes(`--outpost-frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${part.length}\r\n\r\n`),
    part,
    bytes("\r\n"),
  ]);
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

test("parts come whole, however the stream is cut into chunks", () => {
  const parts = [bytes("one\r\n\r\n"), new Uint8Array(0), bytes("--outpost-frame"), bytes("4")];
  const all = body(parts);
  for (let step = 1; step <= all.length; step++) {
    const reader = new PartReader();
    const got: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += step)
      got.push(...reader.take(all.subarray(at, at + step)));
    expect(got.map((each) => [...each])).toEqual(parts.map((each) => [...each]));
  }
});

test("a stream of another form is an error and is not held for ever", () => {
  expect(() => new PartReader().take(bytes("--x\r\nContent-Type: image/jpeg\r\n\r\n"))).toThrow(
    "length",
  );
  expect(() =>
    new PartReader().take(bytes("--x\r\nContent-Length: 99999999999\r\n\r\n")),
  ).toThrow();
  expect(() => new PartReader().take(new Uint8Array(5000))).toThrow("head");
});
