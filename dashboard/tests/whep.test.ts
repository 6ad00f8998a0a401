import { expect, test } from "vitest";
import { iceServers } from "../src/api/whep.ts";

test("ICE servers are read from Link headers, with passwords that hold quotes and commas", () => {
  const link =
    '<stun:stun.example:3478>; rel="ice-server", </x>; rel="next", ' +
    '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="us\\\\er"; ' +
    'credential="se\\"c,ret; rel="; credential-type="password"';
  expect(iceServers(link)).toEqual([
    { urls: "stun:stun.example:3478" },
    {
      urls: "turn:turn.example:3478?transport=udp",
      username: "us\\er",
      credential: 'se"c,ret; rel=',
    },
  ]);
});

test("what is no ICE server is none", () => {
  expect(iceServers(null)).toEqual([]);
  expect(iceServers('<https://example.org>; rel="ice-server"')).toEqual([]);
  expect(iceServers('<stun:stun.example>; rel="other"')).toEqual([]);
});
