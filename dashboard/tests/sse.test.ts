import { expect, test } from "vitest";
import { SseParser } from "../src/api/sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const STREAM =
  "retry: 2000\nid: ab-1\n\n: still here\n\nid: ab-2\nevent: samples\ndata: [1,\ndata: 2]\r\n\r\nevent: log\ndata:é\n\n";

function parse(pieces: Uint8Array[]) {
  const parser = new SseParser();
  return { events: pieces.flatMap((piece) => parser.push(piece)), lastId: parser.lastId };
}

test("events carry type, joined data lines and the id so far", () => {
  expect(parse([bytes(STREAM)]).events).toEqual([
    { type: "samples", data: "[1,\n2]", id: "ab-2" },
    { type: "log", data: "é", id: "ab-2" },
  ]);
});

test("an id without an event still counts as where to resume", () => {
  expect(parse([bytes("id: ab-7\n\n")])).toEqual({ events: [], lastId: "ab-7" });
});

test("any cut of the bytes gives the same events", () => {
  const whole = bytes(STREAM);
  const expected = parse([whole]);
  for (let at = 0; at <= whole.length; at++) {
    expect(parse([whole.slice(0, at), whole.slice(at)])).toEqual(expected);
  }
  expect(parse(Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(expected);
});

test("comments and unknown fields are no events", () => {
  expect(parse([bytes(": hello\n\nwhat: ever\n\nevent: log\n\n")]).events).toEqual([]);
});
