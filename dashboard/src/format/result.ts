import { text } from "../text/catalogue.ts";

/** A result for people: `state on, hz 2` for flat objects, JSON for what is deeper. */
export function resultText(result: unknown): string {
  if (result === null || result === undefined) return text.command.noResult;
  if (typeof result !== "object") return String(result);
  const entries = Object.entries(result);
  if (
    Array.isArray(result) ||
    entries.some(([, value]) => typeof value === "object" && value !== null)
  ) {
    return JSON.stringify(result);
  }
  return entries.map(([key, value]) => `${key} ${value}`).join(", ");
}
