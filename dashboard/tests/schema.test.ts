import { expect, test } from "vitest";
import type { Schema } from "../src/api/types.ts";
import { choicesOf, fieldsOf, parse, questionOf } from "../src/state/schema.ts";

const LED: Schema = {
  type: "object",
  properties: {
    interval_ms: { type: "integer", minimum: 20, maximum: 10_000, default: 500, unit: "ms" },
    state: { type: "string", enum: ["on", "off", "blink"] },
  },
  required: ["state"],
};

const only = (property: Schema, required = true) =>
  fieldsOf({ properties: { x: property }, required: required ? ["x"] : [] });
const errorOf = (property: Schema, given: string) =>
  parse(only(property), { x: given }).errors["x"];

test("what must be given comes first, and starts with a value that is valid", () => {
  const [state, interval] = fieldsOf(LED);
  expect(state).toMatchObject({ name: "state", control: "choice", required: true });
  expect(interval).toMatchObject({ title: "Interval", hint: "20 to 10,000 ms", initial: "500" });
  expect(parse(fieldsOf(LED), { state: state?.initial ?? "" })).toEqual({
    params: { state: "on" },
    errors: {},
  });
});

test("what is not given is left out, unless it is needed", () => {
  expect(parse(fieldsOf(LED), { state: '"blink"', interval_ms: "" }).params).toEqual({
    state: "blink",
  });
  expect(parse(fieldsOf(LED), {}).errors).toEqual({ state: "A value is needed." });
});

test("numbers are numbers, with a comma too", () => {
  expect(parse(only({ type: "number" }), { x: " 2,5 " }).params).toEqual({ x: 2.5 });
  expect(errorOf({ type: "number" }, "abc")).toMatch(/not a number/);
  expect(errorOf({ type: "integer" }, "2.5")).toMatch(/whole/);
});

test("limits are checked, both kinds and at the edge", () => {
  expect(errorOf({ type: "number", minimum: 0 }, "0")).toBeUndefined();
  expect(errorOf({ type: "number", minimum: 0 }, "-1")).toMatch(/At least 0/);
  expect(errorOf({ type: "number", maximum: 9 }, "9.1")).toMatch(/At most 9/);
  expect(errorOf({ type: "number", exclusiveMinimum: 0 }, "0")).toMatch(/More than 0/);
  expect(errorOf({ type: "number", exclusiveMaximum: 1 }, "1")).toMatch(/Less than 1/);
  expect(errorOf({ type: "number", multipleOf: 0.1 }, "0.3")).toBeUndefined();
  expect(errorOf({ type: "number", multipleOf: 0.1 }, "0.35")).toMatch(/steps of 0.1/);
});

test("texts are checked by length and pattern", () => {
  expect(errorOf({ type: "string", maxLength: 3 }, "abcd")).toMatch(/At most 3/);
  expect(errorOf({ type: "string", minLength: 2 }, "a")).toMatch(/At least 2/);
  expect(errorOf({ type: "string", pattern: "^a+$" }, "ab")).toMatch(/form/);
});

test("a pattern that the browser cannot read is left to the hub", () => {
  expect(errorOf({ type: "string", pattern: "(?<broken" }, "x")).toBeUndefined();
});

test("choices keep their types", () => {
  const [field] = only({ enum: [1, "1", true] });
  const choices = field ? choicesOf(field) : [];
  expect(
    choices.map(({ value }) => parse(only({ enum: [1, "1", true] }), { x: value }).params["x"]),
  ).toEqual([1, "1", true]);
});

test("booleans are a choice of two", () => {
  expect(parse(only({ type: "boolean" }), { x: "false" }).params).toEqual({ x: false });
});

test("what no form is made for is written as JSON", () => {
  expect(only({ type: "array" })[0]?.control).toBe("json");
  expect(parse(only({ type: "object" }), { x: '{"a": [1]}' }).params).toEqual({ x: { a: [1] } });
  expect(errorOf({ type: "object" }, "{")).toMatch(/JSON/);
});

test("a schema without properties makes no fields", () => {
  expect(fieldsOf({})).toEqual([]);
});

test("what cannot be undone is asked about first: by its name, or by its schema", () => {
  const ask = (name: string, params = {}) =>
    questionOf({ name, title: "Do it", params }, "Greenhouse");
  expect(ask("reboot")).toContain("Do it");
  expect(ask("factory_reset")).toContain("Greenhouse");
  expect(ask("led")).toBeNull();
  expect(ask("valve", { "x-confirm": true })).toContain("Do it");
  expect(ask("valve", { "x-confirm": "Flood the field?" })).toBe("Flood the field?");
  expect(ask("reboot", { "x-confirm": false })).toBeNull();
});
