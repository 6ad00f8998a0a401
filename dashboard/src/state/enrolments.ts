import { computed, signal } from "@preact/signals";
import type { Client } from "../api/client.ts";
import { type Enrolment, enrolmentsApi } from "../api/enrolments.ts";

/** Boards that wait to be accepted, and what is refused: on every page, told by the live stream. */
export class Enrolments {
  /** By device, what needs somebody's word; a board may be refused beside the one that is accepted. */
  readonly open = signal<ReadonlyMap<string, Enrolment>>(new Map());
  /** Oldest first, what is refused before what waits. */
  readonly list = computed(() =>
    [...this.open.value.values()].sort(
      (a, b) =>
        Number(b.state === "refused") - Number(a.state === "refused") ||
        (a.since ?? 0) - (b.since ?? 0),
    ),
  );
  readonly api: ReturnType<typeof enrolmentsApi>;
  private turn = 0;

  constructor(client: Client) {
    this.api = enrolmentsApi(client);
  }

  /** Fetch what is open. A hub that does not answer is told of elsewhere. */
  async load(): Promise<void> {
    this.turn += 1;
    const mine = this.turn;
    try {
      const items = await this.api.all();
      // What the stream told meanwhile is newer.
      if (mine === this.turn) this.open.value = byDevice(items);
    } catch {
      // An older hub has none, and one that is away is told of by the status line.
    }
  }

  /** Take in a change. */
  take(change: Enrolment): void {
    this.turn += 1;
    const all = new Map(this.open.peek());
    if (isOpen(change)) all.set(change.device, change);
    else all.delete(change.device);
    this.open.value = all;
  }
}

const isOpen = ({ state }: Enrolment): boolean => state === "pending" || state === "refused";

const byDevice = (items: Enrolment[]): Map<string, Enrolment> =>
  new Map(items.filter(isOpen).map((item) => [item.device, item]));
