import type { Condition, Rule } from "../api/alerts.ts";
import { fixed } from "../format/number.ts";
import { type Conversion, converted, sentBack } from "../format/units.ts";
import { alertText } from "../text/catalogue.ts";

const SAME: Conversion = { unit: "", by: 1, add: 0 };

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

/** A rule as the form shows it: numbers in the unit `to`. */
export const draftOf = (rule: Rule, to = SAME): RuleDraft => ({
  ...rule,
  threshold: rule.threshold === null ? "" : typed(rule.threshold, limitIn(rule.condition, to)),
  hysteresis: typed(rule.hysteresis, apart(to)),
  value: String(rule.value),
});

/** A draft whose numbers stand in the unit `from`, in the unit `to`: it means what it meant. */
export function restated(draft: RuleDraft, from: Conversion, to: Conversion): RuleDraft {
  if (from.by === to.by && from.add === to.add) return draft;
  const number = (text: string, was: Conversion, is: Conversion): string => {
    const said = text.trim().replace(",", ".");
    const value = Number(said);
    return said === "" || !Number.isFinite(value) ? text : typed(sentBack(value, was), is);
  };
  const limit = (of: Conversion) => limitIn(draft.condition, of);
  return {
    ...draft,
    threshold: number(draft.threshold, limit(from), limit(to)),
    hysteresis: number(draft.hysteresis, apart(from), apart(to)),
  };
}

/** How differences are converted: without the offset. */
const apart = (to: Conversion): Conversion => ({ ...to, add: 0 });

/** A rise by 9 °F is one by 5 °C; above 50 °F is above 10 °C. */
const limitIn = (condition: Condition, to: Conversion): Conversion =>
  condition === "rises" || condition === "falls" ? apart(to) : to;

const typed = (value: number, to: Conversion): string =>
  String(Number(converted(value, to).toPrecision(6)));

/** The rule of a draft in the unit `to`, or what is wrong with it by field. All else the hub checks, and names the field. */
export function ruleOf(
  draft: RuleDraft,
  actions: Rule["actions"],
  to = SAME,
  /** What the draft was made of: a number that nobody touched stays what it is. */
  before: Rule | null = null,
): { rule: Rule; errors: Record<string, string> } {
  const errors: Record<string, string> = {};
  const untouched = before === null ? null : draftOf(before, to);
  const number = (field: "threshold" | "hysteresis", otherwise: number | null) => {
    const said = draft[field].trim().replace(",", ".");
    if (!asks(draft.condition, field) || said === "") return otherwise;
    if (said === untouched?.[field] && draft.condition === before?.condition) return before[field];
    const value = Number(said);
    if (!Number.isFinite(value)) errors[field] = alertText.rule.notNumber;
    const as = field === "threshold" ? limitIn(draft.condition, to) : apart(to);
    return as.by === 1 && as.add === 0 ? value : sentBack(value, as);
  };
  const { value: edge, ...rest } = draft;
  const value = edge === "true" ? true : edge === "false" ? false : edge;
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

/** A rule in words, its threshold in the unit `to`. */
export function inWords(rule: Rule, to = SAME): string {
  const says = alertText.rule.says[rule.condition];
  const number =
    rule.threshold === null ? "" : read(typed(rule.threshold, limitIn(rule.condition, to)));
  const limit = to.unit === "" ? number : `${number}\u202f${to.unit}`;
  const words = says(limit, rule.window, rule.hold, String(rule.value));
  const held = rule.condition !== "silent" && !/^0/.test(rule.hold);
  return words + (held ? alertText.rule.held(rule.hold) : "");
}

/** A number as it is read, in place of how it is typed. */
const read = (number: string): string => fixed(Number(number), (number.split(".")[1] ?? "").length);

/** The unit that all numbers which a rule's source fits have in common; empty where they have none. */
export function unitOf(
  source: string,
  metrics: Iterable<{ device: string; name: string; unit: string }>,
): string {
  const [device = "", ...rest] = source.split("/");
  const fits = [device, rest.join("/")].map(globbed);
  const units = new Set<string>();
  for (const metric of metrics) {
    if (fits[0]?.test(metric.device) && fits[1]?.test(metric.name)) units.add(metric.unit);
  }
  return units.size === 1 ? ([...units][0] ?? "") : "";
}

/** `*` and `?` as in a shell. */
function globbed(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
