import { describe, expect, it } from "vitest";
import type { Ages, RetentionInfo } from "../src/api/types.ts";
import { age, going, notes, rollups, size, total } from "../src/state/retention.ts";

const keep: Ages = { raw: 7_776_000, "10s": 0, "1m": null, "1h": null, "1d": null };
const info: RetentionInfo = {
  time: 1_790_000_000_000,
  hold: null,
  grace_until: null,
  over_budget: false,
  deleted_rows: 0,
  used_bytes: 0,
  free_bytes: 0,
  size_bytes: null,
  items: [],
  tiers: [],
};

describe("retention", () => {
  it.each([
    [999, "999 B"],
    [1000, "1.00 kB"],
    [4_230_000, "4.23 MB"],
    [8e9, "8.00 GB"],
  ])("shows %d bytes as %s", (bytes, shown) => expect(size(bytes)).toBe(shown));

  it.each([
    [null, "for ever"],
    [7_776_000, "90 d"],
    [7200, "2 h"],
    [90 * 60, "90 min"],
    [2 * 31_557_600, "731 d"],
  ])("shows an age of %d s as %s", (seconds, shown) => expect(age(seconds)).toBe(shown));

  it("names the rollups that go some day, and those by 10 s where they are stored", () => {
    expect(rollups(keep)).toBe("for ever");
    expect(rollups({ ...keep, "10s": 2_592_000, "1m": 63_072_000 })).toBe("10s 30 d, 1m 730 d");
    expect(rollups({ ...keep, "10s": null })).toBe("10s for ever");
  });

  it("shows what goes by its size, and nothing as a dash", () => {
    expect(going({ samples: 0, bytes: 0 }).text).toBe("–");
    expect(going({ samples: 1200, bytes: 900 })).toEqual({ text: "900 B", title: "1,200 samples" });
  });

  it("says what holds letting go up", () => {
    expect(notes(info)).toEqual([]);
    const said = notes({ ...info, hold: "no clock", grace_until: info.time, over_budget: true });
    expect(said).toHaveLength(3);
    expect(said[0]).toBe("Nothing goes by age now: no clock.");
  });

  it("adds up what goes", () => {
    const one = {
      device: "a",
      metric: "m",
      tags: [],
      samples: 10,
      bytes: 5,
      oldest: null,
      keep,
      now: { samples: 4, bytes: 2 },
      week: { samples: 6, bytes: 3 },
    };
    expect(total([one, one])).toEqual({
      bytes: 10,
      now: { samples: 8, bytes: 4 },
      week: { samples: 12, bytes: 6 },
    });
  });
});
