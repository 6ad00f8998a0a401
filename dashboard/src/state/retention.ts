import { computed } from "@preact/signals";
import type { Ages, Amount, MetricRetention, RetentionInfo } from "../api/types.ts";
import { locale } from "../format/locale.ts";
import { quantity } from "../format/number.ts";
import { moment } from "../format/time.ts";
import { retentionText as words } from "../text/catalogue.ts";

const counts = computed(() => new Intl.NumberFormat(locale.value));

/** `4.23 MB`; decimal units, as cards are sold. */
export function size(bytes: number): string {
  const shown = quantity(bytes, "bytes", null);
  return `${shown.text} ${shown.unit}`;
}

/** `90 d`, `6 h`. */
export function age(seconds: number | null): string {
  if (seconds === null) return words.ever;
  if (seconds >= 172_800 || seconds === 86_400)
    return words.days(count(Math.round(seconds / 86_400)));
  if (seconds >= 7200) return words.hours(count(Math.round(seconds / 3600)));
  return words.minutes(count(Math.round(seconds / 60)));
}

/** Those of the rollups that are stored and go some day, in short; all others stay for ever. */
export function rollups(keep: Ages): string {
  const said = (["10s", "1m", "1h", "1d"] as const)
    .filter((tier) => keep[tier] !== 0 && (keep[tier] !== null || tier === "10s"))
    .map((tier) => words.tier(tier, age(keep[tier])));
  return said.join(", ") || words.ever;
}

/** What goes: its size, and in full for the hover. */
export function going(amount: Amount): { text: string; title: string } {
  if (amount.samples === 0) return { text: words.none, title: "" };
  return { text: size(amount.bytes), title: words.samples(count(amount.samples)) };
}

/** What keeps the store from letting go, or is about to change; empty: nothing. */
export function notes(info: RetentionInfo): string[] {
  const found: string[] = [];
  if (info.hold) found.push(words.hold(info.hold));
  if (info.grace_until !== null) found.push(words.grace(moment(info.grace_until, info.time)));
  if (info.over_budget) found.push(words.overBudget);
  return found;
}

/** The sum of all metrics, for the table's foot. */
export function total(items: MetricRetention[]): { bytes: number; now: Amount; week: Amount } {
  const sum = (of: (one: MetricRetention) => number) =>
    items.reduce((all, one) => all + of(one), 0);
  return {
    bytes: sum((one) => one.bytes),
    now: { samples: sum((one) => one.now.samples), bytes: sum((one) => one.now.bytes) },
    week: { samples: sum((one) => one.week.samples), bytes: sum((one) => one.week.bytes) },
  };
}

export const count = (value: number): string => counts.value.format(value);
