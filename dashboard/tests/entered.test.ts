import { expect, test, vi } from "vitest";
import { enter, takeEntered } from "../src/state/entered.ts";

function shown(url: string) {
  const replaceState = vi.fn();
  const reload = vi.fn();
  const at = Object.assign(new URL(url), { reload }) as unknown as Location;
  return { at, replaceState, reload, history: { replaceState } as unknown as History };
}

test("a session that begins is marked behind the address, and the page begins anew", () => {
  const { at, history, replaceState, reload } = shown("https://hub.local/settings");
  enter(at, history);
  expect(replaceState).toHaveBeenCalledWith(null, "", "/settings#in");
  expect(reload).toHaveBeenCalledOnce();
});

test("the mark is found once and leaves the address bar", () => {
  const { at, history, replaceState } = shown("https://hub.local/wall#in");
  expect(takeEntered(at, history)).toBe(true);
  expect(replaceState).toHaveBeenCalledWith(null, "", "/wall");
});

test.each(["https://hub.local/", "https://hub.local/#index", "https://hub.local/wall#outpost_x"])(
  "%s tells of no new session",
  (url) => {
    const { at, history, replaceState } = shown(url);
    expect(takeEntered(at, history)).toBe(false);
    expect(replaceState).not.toHaveBeenCalled();
  },
);
