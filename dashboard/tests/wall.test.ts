import { expect, test, vi } from "vitest";
import type { Token } from "../src/api/rights.ts";
import { listing, programsOf, wallsOf } from "../src/state/rights.ts";
import { fitting, takeWallToken, wallLink } from "../src/state/wall.ts";

const at = (url: string) => new URL(url) as unknown as Location;

test("a link's token stands where no browser sends it, and leaves the address bar", () => {
  const link = wallLink("https://hub.local", "outpost_abc");
  expect(new URL(link).search).toBe("");
  const replaceState = vi.fn();
  expect(takeWallToken(at(link), { replaceState } as unknown as History)).toBe("outpost_abc");
  expect(replaceState).toHaveBeenCalledWith(null, "", "/wall");
});

test.each(["https://hub.local/wall", "https://hub.local/#outpost_abc", "https://hub.local/wall#"])(
  "%s carries no token",
  (url) => {
    const replaceState = vi.fn();
    expect(takeWallToken(at(url), { replaceState } as unknown as History)).toBeNull();
    expect(replaceState).not.toHaveBeenCalled();
  },
);

test("type is as large as fits, to a tenth, and never smaller than the least", () => {
  expect(fitting((zoom) => zoom <= 2.3, 1, 4)).toBe(2.3);
  expect(fitting(() => true, 1, 4)).toBe(4);
  expect(fitting(() => false, 1, 4)).toBe(1);
});

test("a wall display is no program, and a program no display", async () => {
  const token = (name: string, role: Token["role"]): Token => ({
    name,
    role,
    created_time: 0,
    last_used_time: null,
    devices: [],
    tags: [],
  });
  const items = [
    token("wall-hall", "viewer"),
    token("wall-e", "admin"),
    token("grafana", "viewer"),
  ];
  const all = listing(async () => ({ items, next: null }));
  await all.load();
  expect(wallsOf(all).items.value?.map((one) => one.name)).toEqual(["wall-hall"]);
  expect(programsOf(all).items.value?.map((one) => one.name)).toEqual(["wall-e", "grafana"]);
});
