import type { MetricRetention } from "../api/types.ts";
import { keepingText as words } from "../text/catalogue.ts";
import { count, size, total } from "./retention.ts";

export const TIERS = ["raw", "10s", "1m", "1h", "1d"] as const;
export const NAMES = ["device", "metric", "tag"] as const;
type Tier = (typeof TIERS)[number];
type Name = (typeof NAMES)[number];

/** A rule as the hub has it; what this form does not know, as a deadband, goes through it as it is. */
export type KeepRule = Partial<Record<Name | Tier, string | null>> & Record<string, unknown>;
export type KeepRules = Record<Tier, string> & { size: string | null; rule: KeepRule[] };

/** The rules that act, or will; `configured`: they are those of the hub's configuration. */
export interface Kept {
  version: number;
  configured: boolean;
  rules: KeepRules;
}

/** What rules would delete. */
export interface Foretold {
  over_bytes: number;
  size_bytes: number | null;
  items: MetricRetention[];
}

/** Rules as they are sent: what is empty is not said. */
export function sent(rules: KeepRules): unknown {
  const said = (one: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(one)
        .map(([key, value]) => [key, typeof value === "string" ? value.trim() : value])
        .filter(([, value]) => value !== "" && value !== null),
    );
  return { ...said({ ...rules, rule: null }), rule: rules.rule.map(said) };
}

/** What thins a rule's samples out, which the form shows and does not change. */
export const thinning = (rule: KeepRule): string =>
  (["deadband", "min_interval", "max_interval"] as const)
    .filter((key) => rule[key] !== null && rule[key] !== undefined)
    .map((key) => `${key} ${rule[key]}`)
    .join(", ");

/** What would go, in words; the largest first. */
export function inWords(found: Foretold): { now: string; week: string; most: string } {
  const all = total(found.items);
  const say = (amount: { samples: number; bytes: number }) =>
    amount.samples === 0 ? words.nothing : words.amount(count(amount.samples), size(amount.bytes));
  const most = found.items
    .filter((one) => one.now.samples > 0)
    .sort((a, b) => b.now.bytes - a.now.bytes)
    .slice(0, 5)
    .map((one) => `${one.device}/${one.metric} ${count(one.now.samples)}`);
  return { now: say(all.now), week: say(all.week), most: most.join(", ") };
}

/** With one rule moved before the one above it. */
export function raised(rules: readonly KeepRule[], at: number): KeepRule[] {
  const next = [...rules];
  const [moving] = next.splice(at, 1);
  if (moving !== undefined) next.splice(Math.max(0, at - 1), 0, moving);
  return next;
}
