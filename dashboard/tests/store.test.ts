import { describe, expect, it } from "vitest";
import type { StoreInfo } from "../src/api/types.ts";
import { bytesEach, storeItems } from "../src/state/store.ts";

const early: StoreInfo = {
  file_bytes: 4_200_000,
  queue_readings: 0,
  sealed_bytes_per_sample: null,
  written_bytes_per_day: null,
  card_years: null,
  compression: null,
  commit_p50_ms: null,
  commit_p99_ms: null,
  devices: [],
};
const said = (info: StoreInfo) =>
  new Map(storeItems(info).map((one) => [one.title, `${one.value} ${one.unit ?? ""}`.trim()]));
const tone = (info: StoreInfo, title: string) =>
  storeItems(info).find((one) => one.title === title)?.tone;

describe("the store's figures", () => {
  it("say what is not known yet", () => {
    const shown = said(early);
    expect(shown.get("Written a day")).toBe("after 10 min");
    expect(shown.get("Card lasts, at this rate")).toBe("after 10 min");
    expect(shown.get("Commit, typical")).toBe("–");
  });

  it("show what is", () => {
    const shown = said({
      ...early,
      written_bytes_per_day: 340_000_000,
      card_years: 47.6,
      compression: 25.4,
      sealed_bytes_per_sample: 0.63,
      commit_p50_ms: 4.62,
    });
    expect(shown.get("Written a day")).toBe("340 MB");
    expect(shown.get("Card lasts, at this rate")).toBe("48 years");
    expect(shown.get("Smaller than plain")).toBe("25 ×");
    expect(shown.get("A sealed sample")).toBe("0.63 B");
    expect(shown.get("Commit, typical")).toBe("4.6 ms");
  });

  it("warn of a card that is worn out soon, and of slow commits", () => {
    expect(tone({ ...early, card_years: 1.9 }, "Card lasts, at this rate")).toBe("warn");
    expect(tone({ ...early, card_years: 2 }, "Card lasts, at this rate")).toBeUndefined();
    expect(tone({ ...early, commit_p99_ms: 1500 }, "Commit, 99 of 100 within")).toBe("warn");
  });

  it("show no more than a hundred years", () => {
    expect(said({ ...early, card_years: 500 }).get("Card lasts, at this rate")).toBe("> 100 years");
  });

  it("show a sample's bytes as a dash where there is none", () => {
    expect(bytesEach(null)).toEqual({ value: "–" });
  });
});
