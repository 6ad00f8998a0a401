import { text } from "../text/catalogue.ts";
import { quantity } from "./number.ts";
import { sentence } from "./value.ts";

const UNITS = ["ms", "s", "us", "bytes", "ppm", "percent"] as const;

/** A figure's unit stands at the end of its name: `rtt_ms`. */
export function figure(name: string, value: number) {
  const unit = UNITS.find((candidate) => name.endsWith(`_${candidate}`));
  const bare = unit ? name.slice(0, -unit.length - 1) : name;
  const shown = quantity(value, unit === "percent" ? "%" : (unit ?? ""), null);
  return { title: text.link.figures[name] ?? sentence(bare), value: shown.text, unit: shown.unit };
}
