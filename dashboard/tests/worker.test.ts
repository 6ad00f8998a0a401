import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import { scriptOf, watchUpgrade } from "../src/state/upgrade.ts";
import { isPage, keptCaches } from "../src/worker/plan.ts";

test("a build keeps its own cache and the one before, and leaves other sites' alone", () => {
  const names = ["outpost-1", "outpost-2", "else", "outpost-3"];
  expect([...keptCaches(names, "3")].sort()).toEqual(["else", "outpost-2", "outpost-3"]);
  expect([...keptCaches(["outpost-3"], "3")]).toEqual(["outpost-3"]);
});

test("pages are the dashboard's; what the hub answers itself is never answered in its place", () => {
  for (const path of ["/", "/devices/a", "/wall", "/apiary"]) expect(isPage(path)).toBe(true);
  for (const path of ["/api/v1/hub", "/claim", "/metrics", "/healthz", "/.well-known/x"]) {
    expect(isPage(path)).toBe(false);
  }
});

const page = (script: string) =>
  `<!doctype html><script type="module" crossorigin src="/assets/${script}.js"></script>`;

test("a hub that started anew with the same dashboard is no upgrade, with another it is", async () => {
  const epoch = signal<string | null>(null);
  const upgraded = signal(false);
  const fetchPage = vi.fn(async () => page("index-a"));
  watchUpgrade(epoch, scriptOf(page("index-a")), fetchPage, upgraded);
  epoch.value = "1";
  expect(fetchPage).not.toHaveBeenCalled();
  epoch.value = "2";
  await vi.waitFor(() => expect(fetchPage).toHaveBeenCalledOnce());
  expect(upgraded.value).toBe(false);
  fetchPage.mockResolvedValue(page("index-b"));
  epoch.value = "3";
  await vi.waitFor(() => expect(upgraded.value).toBe(true));
});

test("a page that is none of ours, and a hub that went away again, are no upgrade", async () => {
  const epoch = signal<string | null>("1");
  const upgraded = signal(false);
  const fetchPage = vi.fn(async () => "<title>Bad gateway</title>");
  watchUpgrade(epoch, "/assets/index-a.js", fetchPage, upgraded);
  epoch.value = "2";
  await vi.waitFor(() => expect(fetchPage).toHaveBeenCalledOnce());
  fetchPage.mockRejectedValue(new TypeError("failed"));
  epoch.value = "3";
  await vi.waitFor(() => expect(fetchPage).toHaveBeenCalledTimes(2));
  expect(upgraded.value).toBe(false);
});
