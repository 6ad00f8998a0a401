import { expect, test, vi } from "vitest";

test("no module of a first load uses dates as it is loaded: the browser would read its tables in the longest task", async () => {
  const made = vi.spyOn(Intl, "DateTimeFormat");
  await import("../src/App.tsx");
  expect(made).not.toHaveBeenCalled();
  made.mockRestore();
}, 60_000);
