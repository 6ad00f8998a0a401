import { expect, test } from "vitest";
import type { Device } from "../src/api/types.ts";
import { DeviceState } from "../src/state/device.ts";
import { arranged, grouped, Layout, matching, moved } from "../src/state/layout.ts";

class Kept {
  text: string | null;
  constructor(text: string | null = null) {
    this.text = text;
  }
  getItem = () => this.text;
  setItem = (_key: string, text: string) => {
    this.text = text;
  };
}

const metric = (name: string) => ({
  ...{ name, title: "", unit: "", kind: "number" as const },
  ...{ interval_ms: null, decimals: null, last: null },
});
const device = new DeviceState({
  ...{ id: "d1", name: "Greenhouse", model: "pico", firmware: "", link: "serial" },
  ...{ online: true, reason: null, last_seen: 0, boot_id: null, commands: [], tags: ["cellar"] },
  metrics: [metric("temperature"), metric("soil_moisture")],
} as Device);
const names = (asked: string) => matching(device, asked)?.map((found) => found.name) ?? null;

test("what was chosen is there again after a reload", () => {
  const kept = new Kept();
  const layout = new Layout(kept);
  layout.density.value = "compact";
  layout.order.value = ["b", "a"];
  layout.grouping.value = "tag";
  layout.fold("cellar", true);
  layout.fold("attic", true);
  layout.fold("attic", false);
  const again = new Layout(kept);
  expect([again.density.value, again.grouping.value, again.order.value]).toEqual([
    "compact",
    "tag",
    ["b", "a"],
  ]);
  expect(["cellar", "attic"].map((name) => again.isFolded(name))).toEqual([true, false]);
  again.grouping.value = "link";
  expect(again.isFolded("cellar")).toBe(false);
});

test.each([
  "",
  "nonsense",
  "null",
  '"x"',
  '{"order":[1,null],"density":7,"grouping":"x","folded":"y"}',
])("what was kept and makes no sense (%s) is left out", (text) => {
  const layout = new Layout(new Kept(text));
  expect([layout.density.value, layout.order.value]).toEqual(["full", []]);
  expect([layout.grouping.value, layout.folded.value]).toEqual(["none", []]);
});

test("arranged devices come first, new ones after them as they came", () => {
  const items = ["a", "b", "c", "d"].map((id) => ({ id }));
  expect(arranged(items, ["c", "gone", "a"]).map((item) => item.id)).toEqual(["c", "a", "b", "d"]);
});

test("a device moves to a place, and never past the ends", () => {
  expect(moved(["a", "b", "c"], "a", 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], "a", -1)).toEqual(["a", "b", "c"]);
  expect(moved(["a", "b", "c"], "a", 9)).toEqual(["b", "c", "a"]);
});

test("a search finds metrics by name, devices by all that is theirs, and both together", () => {
  expect(names("")).toEqual(["temperature", "soil_moisture"]);
  expect(names("TEMP")).toEqual(["temperature"]);
  expect(names("greenh")).toEqual(["temperature", "soil_moisture"]);
  expect(names("greenh soil")).toEqual(["soil_moisture"]);
  expect(names("cellar")).toEqual(["temperature", "soil_moisture"]);
  expect(names("nothing")).toBeNull();
});

test("groups come by name, and what has none last", () => {
  const found = grouped(["b2", "", "a", "b10", "b2"], (name) => name);
  expect(found.map(({ name, items }) => [name, items.length])).toEqual([
    ["a", 1],
    ["b2", 2],
    ["b10", 1],
    ["", 1],
  ]);
});
