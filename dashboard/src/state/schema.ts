import type { CommandType, Schema } from "../api/types.ts";
import { decimalsForStep, fixed } from "../format/number.ts";
import { sentence, title } from "../format/value.ts";
import { text } from "../text/catalogue.ts";

export type Control = "choice" | "boolean" | "number" | "integer" | "text" | "json";

/** One parameter of a command, as a form shows it. */
export interface Field {
  name: string;
  title: string;
  hint: string;
  control: Control;
  required: boolean;
  schema: Schema;
  /** What the form starts with: text, as inputs hold it. */
  initial: string;
}

/** Raw inputs by field name. "" is: not given. */
export type Raw = Record<string, string>;

export interface Parsed {
  params: Record<string, unknown>;
  /** By field name; empty when all is well. */
  errors: Record<string, string>;
}

/** The parameters of a command: those that must be given first, in the order in which the schema names them. */
export function fieldsOf(schema: Schema): Field[] {
  const needs = schema.required ?? [];
  const required = new Set(needs);
  const rank = (name: string) => (required.has(name) ? needs.indexOf(name) : needs.length);
  const properties = Object.entries(schema.properties ?? {});
  properties.sort(([a], [b]) => rank(a) - rank(b));
  return properties.map(([name, property]) => {
    const control = controlOf(property);
    const needed = required.has(name);
    return {
      name,
      title: property.title ?? titleOf(name, property.unit),
      hint: hintOf(property, control),
      control,
      required: needed,
      schema: property,
      initial: initialOf(property, control, needed),
    };
  });
}

const GRAVE = new Set([
  ...["reboot", "restart", "reset", "shutdown", "poweroff"],
  ...["erase", "format", "wipe", "delete", "update", "upgrade", "flash"],
]);

/** What to ask before the command is sent; null where nothing is to be asked. */
export function questionOf(command: CommandType, device: string): string | null {
  const asked = command.params["x-confirm"];
  if (asked === false) return null;
  if (typeof asked === "string" && asked !== "") return asked;
  const grave = command.name
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((word) => GRAVE.has(word));
  return asked || grave ? text.command.question(title(command), device) : null;
}

/** Inputs to parameters, checked against the schema. The hub checks again. */
export function parse(fields: readonly Field[], raw: Raw): Parsed {
  const parsed: Parsed = { params: {}, errors: {} };
  for (const field of fields) {
    const given = raw[field.name] ?? "";
    if (given === "") {
      if (field.required) parsed.errors[field.name] = text.command.errors.required;
      continue;
    }
    const [value, error] = read(field, given);
    if (error) parsed.errors[field.name] = error;
    else parsed.params[field.name] = value;
  }
  return parsed;
}

/** `interval_ms` in ms is the interval. */
function titleOf(name: string, unit: string | undefined): string {
  return sentence(unit && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name);
}

function controlOf(schema: Schema): Control {
  if (schema.enum || schema.const !== undefined) return "choice";
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter(
    (t) => t !== "null",
  );
  if (types.length !== 1)
    return types.includes("number") && types.includes("integer") ? "number" : "json";
  switch (types[0]) {
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "integer":
      return "integer";
    case "string":
      return "text";
    default:
      return "json";
  }
}

/** The choices of a field, as their JSON: `"on"` and `1` both find their way back. */
export function choicesOf(field: Field): { value: string; title: string }[] {
  if (field.control === "boolean") {
    return [
      { value: "true", title: text.command.yes },
      { value: "false", title: text.command.no },
    ];
  }
  const values = field.schema.enum ?? [field.schema.const];
  return values.map((value) => ({
    value: JSON.stringify(value),
    title: typeof value === "string" ? value : JSON.stringify(value),
  }));
}

function initialOf(schema: Schema, control: Control, needed: boolean): string {
  const value = schema.default;
  if (value !== undefined) {
    return control === "text" && typeof value === "string" ? value : JSON.stringify(value);
  }
  if (!needed) return "";
  if (control === "choice") return JSON.stringify(schema.enum?.[0] ?? schema.const);
  return control === "boolean" ? "false" : "";
}

function hintOf(schema: Schema, control: Control): string {
  const parts: string[] = [];
  if (control === "number" || control === "integer") {
    const low = schema.minimum ?? schema.exclusiveMinimum;
    const high = schema.maximum ?? schema.exclusiveMaximum;
    if (low !== undefined && high !== undefined) {
      parts.push(text.command.range(plainNumber(low), plainNumber(high)));
    } else if (low !== undefined) parts.push(text.command.from(plainNumber(low)));
    else if (high !== undefined) parts.push(text.command.upTo(plainNumber(high)));
    if (schema.unit) parts.push(schema.unit);
  }
  const range = parts.join(" ");
  return [range, schema.description].filter(Boolean).join(" · ");
}

const plainNumber = (value: number): string =>
  fixed(value, Number.isInteger(value) ? 0 : Math.min(6, decimalsForStep(Math.abs(value) / 10)));

function read(field: Field, given: string): [unknown, string | null] {
  switch (field.control) {
    case "number":
    case "integer":
      return readNumber(field, given);
    case "text":
      return [given, textError(field.schema, given)];
    default:
      try {
        return [JSON.parse(given), null];
      } catch {
        return [null, text.command.errors.json];
      }
  }
}

function readNumber(field: Field, given: string): [number, string | null] {
  const value = Number(given.trim().replace(",", "."));
  const { errors } = text.command;
  if (!Number.isFinite(value)) return [value, errors.number];
  if (field.control === "integer" && !Number.isInteger(value)) return [value, errors.integer];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = field.schema;
  const checks: [boolean, string][] = [
    [minimum !== undefined && value < minimum, errors.minimum(String(minimum))],
    [maximum !== undefined && value > maximum, errors.maximum(String(maximum))],
    [
      exclusiveMinimum !== undefined && value <= exclusiveMinimum,
      errors.above(String(exclusiveMinimum)),
    ],
    [
      exclusiveMaximum !== undefined && value >= exclusiveMaximum,
      errors.below(String(exclusiveMaximum)),
    ],
    [multipleOf !== undefined && !isMultiple(value, multipleOf), errors.step(String(multipleOf))],
  ];
  return [value, checks.find(([broken]) => broken)?.[1] ?? null];
}

/** 0.3 is three times 0.1, whatever binary fractions say. */
function isMultiple(value: number, step: number): boolean {
  const times = value / step;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

function textError(schema: Schema, given: string): string | null {
  const { errors } = text.command;
  const length = [...given].length;
  if (schema.minLength !== undefined && length < schema.minLength)
    return errors.short(schema.minLength);
  if (schema.maxLength !== undefined && length > schema.maxLength)
    return errors.long(schema.maxLength);
  if (schema.pattern !== undefined && !matches(schema.pattern, given)) return errors.pattern;
  return null;
}

function matches(pattern: string, given: string): boolean {
  try {
    return new RegExp(pattern, "u").test(given);
  } catch {
    // A pattern that no browser understands is the hub's to check.
    return true;
  }
}
