import { signal } from "@preact/signals";
import { afterEach, describe, expect, test } from "vitest";
import { valueLabels } from "../src/charts/axes.ts";
import {
  AS_SENT,
  conversion,
  converted,
  decimalsAs,
  followUnits,
  sentBack,
  UNIT_CHOICES,
} from "../src/format/units.ts";
import { shown } from "../src/format/value.ts";

const choices = signal(AS_SENT);
followUnits(choices);
afterEach(() => {
  choices.value = AS_SENT;
});

test("a unit that nobody chose for is shown as it is sent", () => {
  expect(conversion("°C", AS_SENT)).toEqual({ unit: "°C", by: 1, add: 0 });
  expect(conversion("lx", { ...AS_SENT, temperature: "°F" }).unit).toBe("lx");
});

test.each([
  ["°C", 100, { temperature: "°F" }, 212, "°F"],
  ["degF", 32, { temperature: "°C" }, 0, "°C"],
  ["K", 273.15, { temperature: "°F" }, 32, "°F"],
  ["hPa", 1013.25, { pressure: "inHg" }, 29.921, "inHg"],
  ["Pa", 101325, { pressure: "mmHg" }, 760, "mmHg"],
  ["psi", 14.696, { pressure: "kPa" }, 101.325, "kPa"],
  ["m/s", 10, { speed: "km/h" }, 36, "km/h"],
  ["mph", 60, { speed: "m/s" }, 26.822, "m/s"],
  ["km/h", 18.52, { speed: "kn" }, 10, "kn"],
  ["mm", 25.4, { length: "imperial" }, 1, "in"],
  ["km", 1.609344, { length: "imperial" }, 1, "mi"],
  ["ft", 10, { length: "metric" }, 3.048, "m"],
] as const)("%s %s is shown as chosen", (unit, value, choice, expected, expectedUnit) => {
  const to = conversion(unit, { ...AS_SENT, ...choice });
  expect(to.unit).toBe(expectedUnit);
  expect(converted(value, to)).toBeCloseTo(expected, 2);
});

test("what was typed in a shown unit comes back as the device counts it", () => {
  for (const [quantity, units] of Object.entries(UNIT_CHOICES)) {
    for (const unit of units.slice(1)) {
      const to = conversion("°C", { ...AS_SENT, [quantity]: unit });
      expect(sentBack(converted(21.5, to), to)).toBe(21.5);
    }
  }
});

test("decimals tell apart what the device told apart", () => {
  const to = conversion("hPa", { ...AS_SENT, pressure: "inHg" });
  expect(decimalsAs(1, to)).toBe(3);
  expect(decimalsAs(null, to)).toBeNull();
});

describe("once chosen", () => {
  const meta = { kind: "number", unit: "°C", decimals: 1 } as const;

  test("a readout is in the unit", () => {
    choices.value = { ...AS_SENT, temperature: "°F" };
    expect(shown(meta, 20)).toEqual({ text: "68.0", unit: "°F" });
    choices.value = AS_SENT;
    expect(shown(meta, 20)).toEqual({ text: "20.0", unit: "°C" });
  });

  test("an axis is labelled in the unit too", () => {
    choices.value = { ...AS_SENT, temperature: "°F" };
    expect(valueLabels([sentBackF(60), sentBackF(70)], "°C")).toEqual(["60", "70"]);
  });
});

const sentBackF = (f: number): number => ((f - 32) * 5) / 9;
