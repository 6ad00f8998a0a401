import { effect, type Signal, signal } from "@preact/signals";
import { title } from "../format/value.ts";
import type { DeviceState } from "./device.ts";
import type { MetricState } from "./metric.ts";

export type Density = "full" | "compact";
type Kept = Pick<Storage, "getItem" | "setItem">;

const KEY = "outpost.overview";

/** How this browser likes its overview; kept in `storage`, where what is not understood is left out. */
export class Layout {
  readonly density: Signal<Density>;
  readonly grouped: Signal<boolean>;
  /** Ids of devices in the order they were put in; others follow by their name. */
  readonly order: Signal<string[]>;

  constructor(storage: Kept) {
    const kept = read(storage);
    this.density = signal(kept["density"] === "compact" ? "compact" : "full");
    this.grouped = signal(kept["grouped"] === true);
    const order = Array.isArray(kept["order"]) ? kept["order"] : [];
    this.order = signal(order.filter((id): id is string => typeof id === "string"));
    effect(() => {
      const { density, grouped, order } = this;
      write(storage, { density: density.value, grouped: grouped.value, order: order.value });
    });
  }
}

function read(storage: Kept): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function write(storage: Kept, kept: Record<string, unknown>): void {
  try {
    storage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing (full, or private) shows the overview all the same.
  }
}

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

/** The device's metrics that match all words; all of them where the device itself matches; null for none. */
export function matching(device: DeviceState, asked: string): MetricState[] | null {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const metrics = device.metrics.value;
  if (words.length === 0) return metrics;
  const { id, name, link, model } = device.info.value;
  const own = `${id} ${name} ${link} ${model}`.toLowerCase();
  const missing = words.filter((word) => !own.includes(word));
  if (missing.length === 0) return metrics;
  const found = metrics.filter((metric) => {
    const meta = metric.meta.value;
    const named = `${meta.name} ${title(meta)}`.toLowerCase();
    return missing.every((word) => named.includes(word));
  });
  return found.length > 0 ? found : null;
}
