import { effect, type Signal, signal } from "@preact/signals";
import { title } from "../format/value.ts";
import { keep, recalled, type Shelf } from "./chosen.ts";
import type { DeviceState } from "./device.ts";
import type { MetricState } from "./metric.ts";

export type Density = "full" | "compact";
export const GROUPINGS = ["none", "tag", "link"] as const;
export type Grouping = (typeof GROUPINGS)[number];

const KEY = "outpost.overview";

/** How this browser likes its overview; kept in `storage`, where what is not understood is left out. */
export class Layout {
  readonly density: Signal<Density>;
  readonly grouping: Signal<Grouping>;
  /** The groups that are folded, as `grouping:name`. */
  readonly folded: Signal<string[]>;
  /** Ids of devices in the order they were put in; others follow by their name. */
  readonly order: Signal<string[]>;

  constructor(storage: Shelf) {
    const kept = recalled(storage, KEY);
    this.density = signal(kept["density"] === "compact" ? "compact" : "full");
    this.grouping = signal(GROUPINGS.find((one) => one === kept["grouping"]) ?? "none");
    this.folded = signal(texts(kept["folded"]));
    this.order = signal(texts(kept["order"]));
    effect(() => {
      keep(storage, KEY, {
        density: this.density.value,
        grouping: this.grouping.value,
        folded: this.folded.value,
        order: this.order.value,
      });
    });
  }

  isFolded(group: string): boolean {
    return this.folded.value.includes(`${this.grouping.value}:${group}`);
  }

  fold(group: string, folded: boolean): void {
    const key = `${this.grouping.peek()}:${group}`;
    const others = this.folded.peek().filter((one) => one !== key);
    this.folded.value = folded ? [...others, key] : others;
  }
}

const texts = (kept: unknown): string[] =>
  Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string") : [];

/** Those that were arranged first, in their order; then the others as they came. */
export function arranged<Item extends { id: string }>(
  items: readonly Item[],
  order: readonly string[],
): Item[] {
  const place = new Map(order.map((id, at) => [id, at]));
  const last = order.length;
  return [...items].sort((a, b) => (place.get(a.id) ?? last) - (place.get(b.id) ?? last));
}

/** `ids` with one of them at place `to`; places beyond the ends are the ends. */
export function moved(ids: readonly string[], id: string, to: number): string[] {
  const rest = ids.filter((other) => other !== id);
  rest.splice(Math.max(0, Math.min(to, rest.length)), 0, id);
  return rest;
}

/** Items by the name of their group: those names in order, and those without one ("") last. */
export function grouped<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
): { name: string; items: Item[] }[] {
  const all = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    all.set(name, [...(all.get(name) ?? []), item]);
  }
  const byName = (a: string, b: string) =>
    Number(a === "") - Number(b === "") || a.localeCompare(b, undefined, { numeric: true });
  return [...all].map(([name, items]) => ({ name, items })).sort((a, b) => byName(a.name, b.name));
}

/** The device's metrics that match all words; all of them where the device itself matches; null for none. */
export function matching(device: DeviceState, asked: string): MetricState[] | null {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const metrics = device.metrics.value;
  if (words.length === 0) return metrics;
  const { id, name, link, model, tags = [] } = device.info.value;
  const own = `${id} ${name} ${link} ${model} ${tags.join(" ")}`.toLowerCase();
  const missing = words.filter((word) => !own.includes(word));
  if (missing.length === 0) return metrics;
  const found = metrics.filter((metric) => {
    const meta = metric.meta.value;
    const named = `${meta.name} ${title(meta)}`.toLowerCase();
    return missing.every((word) => named.includes(word));
  });
  return found.length > 0 ? found : null;
}
