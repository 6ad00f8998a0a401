import { signal } from "@preact/signals";
import { afterEach, expect, test } from "vitest";
import { clock, hover, tick } from "../src/format/time.ts";
import {
  followZone,
  fromInput,
  hubZone,
  knownZone,
  offsetMs,
  toInput,
  type ZoneChoice,
} from "../src/format/zone.ts";

const HOUR_MS = 3_600_000;
const WINTER = Date.UTC(2026, 0, 15, 12, 30, 5);
const SUMMER = Date.UTC(2026, 6, 15, 12, 30, 5);
const choice = signal<ZoneChoice>("viewer");
followZone(choice);
afterEach(() => {
  choice.value = "viewer";
  hubZone.value = "UTC";
});

test("an offset is the zone's at that time, not today's", () => {
  expect(offsetMs(WINTER, "Europe/Berlin")).toBe(HOUR_MS);
  expect(offsetMs(SUMMER, "Europe/Berlin")).toBe(2 * HOUR_MS);
  expect(offsetMs(WINTER, "Asia/Kathmandu")).toBe(5.75 * HOUR_MS);
  expect(offsetMs(WINTER, "UTC")).toBe(0);
});

test("times are shown in the zone that was chosen, with the hub's beside it", () => {
  hubZone.value = "Asia/Tokyo";
  choice.value = "utc";
  expect(clock(WINTER)).toBe("12:30:05");
  expect(hover(WINTER)).toContain("at the hub");
  expect(hover(WINTER)).toContain("21:30:05");
  choice.value = "hub";
  expect(clock(WINTER)).toBe("21:30:05");
});

test("a day's first tick is the zone's midnight", () => {
  hubZone.value = "Asia/Tokyo";
  choice.value = "hub";
  expect(tick(Date.UTC(2026, 0, 14, 15), HOUR_MS)).toMatch(/15/);
  expect(tick(Date.UTC(2026, 0, 14, 16), HOUR_MS)).toBe("01:00");
});

test.each(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])(
  "a time in an input comes back the same in %s, in every hour of a year",
  (zone) => {
    let wrong = 0;
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ms += HOUR_MS) {
      const back = fromInput(toInput(ms, zone), zone);
      // An hour that the clock repeats is told by its first.
      if (back !== ms && toInput(back, zone) !== toInput(ms, zone)) wrong++;
    }
    expect(wrong).toBe(0);
  },
);

test("what is no time is none, and a zone that is none is UTC", () => {
  expect(fromInput("soon", "UTC")).toBeNaN();
  expect(knownZone("Mars/Olympus")).toBe("UTC");
});
