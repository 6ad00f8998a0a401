import { expect, test } from "vitest";
import { figure } from "../src/format/figure.ts";
import {
  age,
  decimalsForStep,
  durationLabels,
  fixed,
  longDuration,
  quantity,
} from "../src/format/number.ts";
import { drawn, sentence, shown } from "../src/format/value.ts";

const number = { kind: "number", unit: "°C", decimals: 2 } as const;

test("a number keeps its decimals, so that digits stand still", () => {
  expect(shown(number, 21)).toEqual({ text: "21.00", unit: "°C" });
  expect(shown(number, 21.456)).toEqual({ text: "21.46", unit: "°C" });
});

test("a negative number has a minus sign, and nothing rounds to minus zero", () => {
  expect(fixed(-3.2, 1)).toBe("\u22123.2");
  expect(fixed(-0.001, 2)).toBe("0.00");
});

test("where the device names no decimals, about four digits are shown", () => {
  expect(quantity(1234.56, "lx", null).text).toBe("1235");
  expect(quantity(123.456, "lx", null).text).toBe("123.5");
  expect(quantity(0.12345, "V", null).text).toBe("0.123");
});

test("bytes are scaled, with the scale in the unit", () => {
  expect(quantity(999, "B", 0)).toEqual({ text: "999", unit: "B" });
  expect(quantity(47_568, "B", 0)).toEqual({ text: "47.6", unit: "kB" });
  expect(quantity(1_420_000_000, "B", 0)).toEqual({ text: "1.42", unit: "GB" });
  expect(quantity(240_000, "B/s", 0)).toEqual({ text: "240", unit: "kB/s" });
});

test("long durations are told in two units, the last in the unit's place", () => {
  expect(quantity(599, "s", 0)).toEqual({ text: "599", unit: "s" });
  expect(quantity(3 * 3600 + 5 * 60, "s", 0)).toEqual({ text: "3\u202fh 05", unit: "min" });
  expect(longDuration(12 * 86400 + 4 * 3600)).toBe("12\u202fd 04\u202fh");
});

test("units without their sign get it", () => {
  expect(quantity(20, "degC", 1).unit).toBe("°C");
});

test("a missing value is a dash without a unit", () => {
  expect(shown(number, null)).toEqual({ text: "\u2013", unit: "" });
  expect(shown(number, undefined)).toEqual({ text: "\u2013", unit: "" });
});

test("states are words; an enum's index finds its option", () => {
  const mode = { kind: "enum", unit: "", decimals: null, options: ["idle", "heat"] } as const;
  expect(shown({ ...mode, options: [...mode.options] }, 1).text).toBe("heat");
  expect(shown({ kind: "boolean", unit: "", decimals: null }, true).text).toBe("on");
});

test("what cannot be drawn is null", () => {
  expect(drawn({ kind: "text" }, "hello")).toBeNull();
  expect(drawn({ kind: "number" }, null)).toBeNull();
  expect(drawn({ kind: "number" }, Number.NaN)).toBeNull();
  expect(drawn({ kind: "boolean" }, true)).toBe(1);
  expect(drawn({ kind: "enum", options: ["a", "b"] }, "b")).toBe(1);
  expect(drawn({ kind: "enum", options: ["a", "b"] }, "z")).toBeNull();
});

test("names become words", () => {
  expect(sentence("mem_free")).toBe("Mem free");
  expect(sentence("cpu_load")).toBe("CPU load");
});

test("a figure's unit stands at the end of its name", () => {
  expect(figure("rtt_ms", 2.26)).toEqual({ title: "Round trip", value: "2.26", unit: "ms" });
  expect(figure("odd_thing_ppm", 3)).toEqual({ title: "Odd thing", value: "3", unit: "ppm" });
});

test("ages grow in whole units, and are never negative", () => {
  expect(age(-500)).toBe("0\u202fs");
  expect(age(59_999)).toBe("59\u202fs");
  expect(age(60_000)).toBe("1\u202fmin");
  expect(age(7_200_000)).toBe("2\u202fh");
  expect(age(5 * 86_400_000)).toBe("5\u202fd");
});

test("a tick's decimals tell neighbours apart", () => {
  expect(decimalsForStep(0.5)).toBe(1);
  expect(decimalsForStep(0.2)).toBe(1);
  expect(decimalsForStep(0.05)).toBe(2);
  expect(decimalsForStep(20)).toBe(0);
});

test.each([
  [
    [0, 86_400, 172_800],
    ["0 d", "1 d", "2 d"],
  ],
  [
    [259_200, 273_600],
    ["3 d 00 h", "3 d 04 h"],
  ],
  [
    [0, 21_600, 43_200],
    ["0 h", "6 h", "12 h"],
  ],
  [
    [50_400, 50_520],
    ["14:00 h", "14:02 h"],
  ],
  [
    [1800, 2400],
    ["30 min", "40 min"],
  ],
  [
    [1930, 1935],
    ["32:10", "32:15"],
  ],
  [
    [7201, 7202],
    ["2:00:01", "2:00:02"],
  ],
])("an axis of durations %j is told as its step needs", (values, labels) => {
  expect(durationLabels(values).map((label) => label.replaceAll("\u202f", " "))).toEqual(labels);
});
