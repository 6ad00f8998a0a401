import { expect, test } from "vitest";
import { Keys } from "../src/state/keys.ts";

const pressed = (keys: Keys, key: string, atMs: number, taken = false) =>
  keys.press({ key, taken, atMs });

test("g and a letter lead somewhere, if the letter comes soon", () => {
  const keys = new Keys();
  expect(pressed(keys, "g", 0)).toBeNull();
  expect(pressed(keys, "h", 300)).toEqual({ go: "/health" });
  expect(pressed(keys, "h", 400)).toBeNull();
  pressed(keys, "g", 1000);
  expect(pressed(keys, "h", 9000)).toBeNull();
});

test("a letter that leads nowhere ends the wait", () => {
  const keys = new Keys();
  pressed(keys, "g", 0);
  expect(pressed(keys, "x", 100)).toBeNull();
  expect(pressed(keys, "h", 200)).toBeNull();
});

test("what is typed into something means nothing else", () => {
  const keys = new Keys();
  expect(pressed(keys, "?", 0, true)).toBeNull();
  pressed(keys, "g", 0, true);
  expect(pressed(keys, "h", 100)).toBeNull();
  expect(pressed(keys, "?", 200)).toBe("help");
});
