import type { Metric, Value } from "../api/types.ts";
import { text } from "../text/catalogue.ts";
import { NO_VALUE, quantity, type Shown } from "./number.ts";
import { converted, decimalsAs, isSame, shownAs } from "./units.ts";

type Typed = Pick<Metric, "kind" | "unit" | "decimals" | "options">;

/** A metric's value as a readout shows it. */
export function shown(metric: Typed, value: Value | undefined): Shown {
  if (value === null || value === undefined) return { text: NO_VALUE, unit: "" };
  switch (metric.kind) {
    case "boolean":
      return { text: value ? text.command.yes : text.command.no, unit: "" };
    case "enum":
      return { text: optionText(metric, value), unit: "" };
    case "number":
      if (typeof value === "number") return measured(value, metric);
  }
  return { text: String(value), unit: "" };
}

function measured(value: number, metric: Typed): Shown {
  const to = shownAs(metric.unit);
  if (isSame(to)) return quantity(value, metric.unit, metric.decimals);
  return quantity(converted(value, to), to.unit, decimalsAs(metric.decimals, to));
}

/** The value as a number that a chart can draw; null for text and for a missing value. */
export function drawn(metric: Pick<Metric, "kind" | "options">, value: Value): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (metric.kind === "enum" && typeof value === "string") {
    const at = metric.options?.indexOf(value) ?? -1;
    return at < 0 ? null : at;
  }
  return null;
}

/** Whether the metric is drawn as steps between states, not as a line. */
export const isState = (metric: Pick<Metric, "kind">): boolean =>
  metric.kind === "boolean" || metric.kind === "enum";

export const title = (named: { title: string; name: string }): string =>
  named.title || sentence(named.name);

function optionText(metric: Typed, value: Value): string {
  if (typeof value === "number") return metric.options?.[value] ?? String(value);
  return String(value);
}

const ACRONYMS = new Set(["cpu", "crc", "id", "led", "rtt", "tx", "rx", "usb"]);

/** `mem_free` → `Mem free`, where a device gave no title. */
export function sentence(name: string): string {
  const words = name
    .replace(/[_.-]+/g, " ")
    .trim()
    .split(" ")
    .map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word))
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
