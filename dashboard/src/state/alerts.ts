import { computed, signal } from "@preact/signals";
import { type Alert, alertsApi } from "../api/alerts.ts";
import type { Client } from "../api/client.ts";

const MOST = 1000;

/** The alerts that are active now, on every page: fetched once, then told by the live stream. */
export class Alerts {
  /** By id. */
  readonly active = signal<ReadonlyMap<string, Alert>>(new Map());
  /** Newest first. */
  readonly list = computed(() =>
    [...this.active.value.values()].sort((a, b) => b.raised_time - a.raised_time),
  );
  readonly unseen = computed(
    () => this.list.value.filter((alert) => alert.acknowledged_time === null).length,
  );
  /** The last change, for pages that show history, and to be read out. */
  readonly news = signal<Alert | null>(null);
  private readonly client: Client;
  private touched: Set<string> | null = null;

  constructor(client: Client) {
    this.client = client;
  }

  /** Fetch what is active. A hub that does not answer is told of elsewhere. */
  async load(): Promise<void> {
    const touched = new Set<string>();
    this.touched = touched;
    try {
      const page = await alertsApi(this.client).alerts({ active: "true", limit: MOST });
      const fetched = new Map(page.items.map((alert) => [alert.id, alert]));
      // What the stream told meanwhile is newer than the answer.
      for (const id of touched) {
        const told = this.active.peek().get(id);
        if (told) fetched.set(id, told);
        else fetched.delete(id);
      }
      this.active.value = fetched;
    } catch {
      // The alerts page asks again, and shows why.
    } finally {
      if (this.touched === touched) this.touched = null;
    }
  }

  /** Take in a change. */
  take(alert: Alert): void {
    this.touched?.add(alert.id);
    const all = new Map(this.active.peek());
    if (alert.cleared_time === null) all.set(alert.id, alert);
    else all.delete(alert.id);
    this.active.value = all;
    this.news.value = alert;
  }
}

/** Alerts with a page of them: each once, the newer state of it, newest first. */
export function mergeAlerts(known: readonly Alert[], page: readonly Alert[]): Alert[] {
  const all = new Map([...page, ...known].map((alert) => [alert.id, alert]));
  for (const alert of page) {
    const held = all.get(alert.id);
    if (held && stage(alert) > stage(held)) all.set(alert.id, alert);
  }
  return [...all.values()].sort((a, b) => b.raised_time - a.raised_time);
}

const stage = (alert: Alert): number =>
  (alert.acknowledged_time === null ? 0 : 1) + (alert.cleared_time === null ? 0 : 2);
