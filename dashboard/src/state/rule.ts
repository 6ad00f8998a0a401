import type { Condition, Rule } from "../api/alerts.ts";
import { alertText } from "../text/alerts.ts";

/** What the form holds: texts, as typed. */
export type RuleDraft = Record<
  | "id"
  | "title"
  | "source"
  | "threshold"
  | "hysteresis"
  | "window"
  | "value"
  | "hold"
  | "clear_hold",
  string
> & {
  condition: Condition;
  severity: Rule["severity"];
  enabled: boolean;
};

export const NEW_RULE: Rule = {
  id: "",
  title: "",
  source: "*/temperature",
  condition: "above",
  threshold: 30,
  hysteresis: 0,
  window: "1m",
  value: true,
  hold: "0s",
  clear_hold: "0s",
  severity: "warning",
  enabled: true,
  actions: [],
};

/** Which fields a condition asks for. */
export const asks = (condition: Condition, field: keyof RuleDraft): boolean => {
  if (field === "threshold" || field === "hysteresis") {
    return condition !== "silent" && condition !== "becomes";
  }
  if (field === "window") return condition === "rises" || condition === "falls";
  if (field === "value") return condition === "becomes";
  return true;
};

export const draftOf = (rule: Rule): RuleDraft => ({
  ...rule,
  threshold: rule.threshold === null ? "" : String(rule.threshold),
  hysteresis: String(rule.hysteresis),
  value: String(rule.value),
});

/** The rule of a draft, or what is wrong with it by field. All else the hub checks, and names the field. */
export function ruleOf(
  draft: RuleDraft,
  actions: Rule["actions"],
): { rule: Rule; errors: Record<string, string> } {
  const errors: Record<string, string> = {};
  const number = (field: "threshold" | "hysteresis", otherwise: number | null) => {
    const typed = draft[field].trim().replace(",", ".");
    if (!asks(draft.condition, field) || typed === "") return otherwise;
    const value = Number(typed);
    if (!Number.isFinite(value)) errors[field] = alertText.rule.notNumber;
    return value;
  };
  const { value: typed, ...rest } = draft;
  const value = typed === "true" ? true : typed === "false" ? false : typed;
  const threshold = number("threshold", null);
  const hysteresis = number("hysteresis", 0) ?? 0;
  return { rule: { ...rest, threshold, hysteresis, value, actions }, errors };
}

/** An id for a title: `Too hot!` becomes `too-hot`. */
export const idOf = (title: string): string =>
  title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);

/** A rule in words. */
export function inWords(rule: Rule): string {
  const says = alertText.rule.says[rule.condition];
  const words = says(String(rule.threshold), rule.window, rule.hold, String(rule.value));
  const held = rule.condition !== "silent" && !/^0/.test(rule.hold);
  return words + (held ? alertText.rule.held(rule.hold) : "");
}
