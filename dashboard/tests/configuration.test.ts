import { expect, test } from "vitest";
import { fieldOf, finished, readOption } from "../src/state/configuration.ts";

test("an error of the board names its field", () => {
  expect(fieldOf("sensors[1].pin: is missing")).toEqual({
    field: "sensors[1].pin",
    words: "is missing",
  });
  expect(fieldOf("sensors[12]: over")).toEqual({ field: "sensors[12]", words: "over" });
  expect(fieldOf("interval_ms: must be 20")).toEqual({ field: "interval_ms", words: "must be 20" });
  expect(fieldOf("mqtt.port: must be 1")).toEqual({ field: "mqtt.port", words: "must be 1" });
  expect(fieldOf("the flash failed")).toEqual({ field: "", words: "the flash failed" });
});

test("what is typed is read by the option's schema, and nothing is not given", () => {
  expect(readOption({ type: "integer" }, " 15 ")).toBe(15);
  expect(readOption({ type: ["integer", "string"] }, "LED")).toBe("LED");
  expect(readOption({ type: ["integer", "string"] }, "4")).toBe(4);
  expect(readOption({ type: "number" }, "1,5")).toBe(1.5);
  expect(readOption({ type: "boolean" }, "true")).toBe(true);
  expect(readOption({ type: "string" }, "7")).toBe("7");
  expect(readOption({ type: "integer" }, "")).toBeUndefined();
  expect(() => readOption({ type: "integer" }, "1.5")).toThrow();
});

test("a configuration is finished without what is empty, and keeps what means nothing", () => {
  const schemas = {
    adc: { properties: { pin: { type: ["integer", "string"] }, decimals: { type: "integer" } } },
  };
  const typed = {
    name: "",
    interval_ms: "500",
    sensors: [{ driver: "adc", pin: "26", decimals: "x" }],
  };
  expect(finished(typed, schemas)).toEqual({
    interval_ms: 500,
    sensors: [{ driver: "adc", pin: 26, decimals: "x" }],
  });
});
