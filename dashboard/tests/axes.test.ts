import { expect, test } from "vitest";
import type { Kind, Metric } from "../src/api/types.ts";
import { valueAxis, valueLabels } from "../src/charts/axes.ts";
import { learn } from "../src/text/language.ts";

const metric = (kind: Kind): Metric => ({
  name: "door",
  title: "",
  unit: "",
  kind,
  interval_ms: 1000,
  decimals: null,
  last: null,
});

test("an axis of seconds tells minutes and hours from ten minutes on", () => {
  expect(valueLabels([0, 200, 400], "s")).toEqual(["0", "200", "400"]);
  expect(valueLabels([0, 1800, 3600], "s")).toEqual(["0\u202fmin", "30\u202fmin", "60\u202fmin"]);
});

test("a chart of a boolean says on and off as its readout does, in the viewer's language", async () => {
  const words = () => (valueAxis(metric("boolean"), "y").values as () => string[])();
  expect(words()).toEqual(["off", "on"]);
  await learn("de");
  expect(words()).toEqual(["aus", "ein"]);
});
