import { batch, signal } from "@preact/signals";
import type { Quality, Value } from "../api/types.ts";
import { keep, recalled, type Shelf } from "./chosen.ts";

/** A device and a metric of it. */
export type Pick = readonly [device: string, metric: string];
/** A sample as the hub's data channel sends it. */
export type Row = readonly [
  device: string,
  metric: string,
  time: number,
  value: Value,
  quality: Quality,
];
/** A value beside the picture; `time` is its own, 0 where there is none yet. */
export interface Beside {
  device: string;
  metric: string;
  time: number;
  value: Value;
  quality: Quality;
}

/** As many as the hub sends on one channel. */
export const PICKS_LIMIT = 32;
const KEY = "outpost.overlay";
const KEPT_MS = 15_000;
const KEPT_SAMPLES = 600;
/** A frame is not further from the moment that its clock was told at. */
const PLAUSIBLE_MS = 30_000;

/** The samples of one metric of late, by time. */
export class Trace {
  private readonly rows: Row[] = [];

  push(row: Row): void {
    let at = this.rows.length;
    while (at > 0 && (this.rows[at - 1]?.[2] ?? 0) > row[2]) at--;
    if (this.rows[at - 1]?.[2] === row[2]) this.rows[at - 1] = row;
    else this.rows.splice(at, 0, row);
    const oldest = (this.rows.at(-1)?.[2] ?? 0) - KEPT_MS;
    // One before the span stays: it holds until the next.
    while (this.rows.length > 1 && (this.rows[1]?.[2] ?? 0) <= oldest) this.rows.shift();
    if (this.rows.length > KEPT_SAMPLES) this.rows.shift();
  }

  /** The sample that held at `time`: the last at or before it. */
  at(time: number): Row | null {
    return this.rows.findLast((row) => row[2] <= time) ?? null;
  }

  get newest(): Row | null {
    return this.rows.at(-1) ?? null;
  }
}

/** Tells when a frame was captured, from its RTP timestamp and a moment on both clocks. */
export class FrameClock {
  private told: { rtp: number; time: number } | null = null;

  tell(rtp: number, time: number): void {
    this.told = { rtp, time };
  }

  forget(): void {
    this.told = null;
  }

  /** UTC ms; null where no clock was told, or it is of another stream. */
  timeOf(rtp: number | undefined): number | null {
    if (this.told === null || rtp === undefined) return null;
    const ms = ((rtp - this.told.rtp) | 0) / 90;
    return Math.abs(ms) <= PLAUSIBLE_MS ? this.told.time + ms : null;
  }
}

/** The metrics that are shown on one camera's picture, each with the value of the frame's own moment. */
export class Overlay {
  /** What was chosen; kept in the browser. */
  readonly picks = signal<readonly Pick[]>([]);
  readonly shown = signal<readonly Beside[]>([]);
  /** When the frame was captured that is on screen, UTC ms; null: values are the newest, not the frame's. */
  readonly time = signal<number | null>(null);
  /** The frame's RTP timestamp. */
  readonly rtp = signal<number | null>(null);
  /** Called when the choice changed, to tell the hub. */
  changed: () => void = () => {};
  private readonly clock = new FrameClock();
  private readonly traces = new Map<string, Trace>();
  private readonly camera: string;
  private readonly storage: Shelf;

  constructor(camera: string, storage: Shelf) {
    this.camera = camera;
    this.storage = storage;
    this.picks.value = chosen(recalled(storage, KEY)[camera]);
    this.show(undefined);
  }

  has(device: string, metric: string): boolean {
    return this.picks.value.some(([d, m]) => d === device && m === metric);
  }

  /** Choose a metric, or choose it no more. */
  toggle(device: string, metric: string): void {
    const picks = this.picks.peek();
    const rest = picks.filter(([d, m]) => d !== device || m !== metric);
    if (rest.length === picks.length) {
      if (picks.length >= PICKS_LIMIT) return;
      rest.push([device, metric]);
    }
    this.picks.value = rest;
    this.keep(rest);
    this.changed();
    this.show(this.rtp.peek() ?? undefined);
  }

  /** What the hub is told of the choice. */
  selection(): string {
    return JSON.stringify({ select: this.picks.peek() });
  }

  /** Take in a message of the data channel. */
  take(message: string): void {
    const said = JSON.parse(message) as {
      clock?: { rtp: number; time: number };
      samples?: Row[];
    };
    if (said.clock) this.clock.tell(said.clock.rtp, said.clock.time);
    for (const row of said.samples ?? []) {
      const key = `${row[0]}/${row[1]}`;
      const trace = this.traces.get(key) ?? new Trace();
      this.traces.set(key, trace);
      trace.push(row);
    }
    if (said.samples && this.time.peek() === null) this.show(undefined);
  }

  /** A frame comes on screen; `rtp` is its timestamp, where the browser tells it. */
  show(rtp: number | undefined): void {
    const time = this.clock.timeOf(rtp);
    const shown = this.picks.peek().map(([device, metric]): Beside => {
      const trace = this.traces.get(`${device}/${metric}`);
      const row = time === null ? trace?.newest : trace?.at(time);
      if (!row) return { device, metric, time: 0, value: null, quality: "bad" };
      return { device, metric, time: row[2], value: row[3], quality: row[4] };
    });
    batch(() => {
      this.time.value = time;
      this.rtp.value = rtp ?? null;
      if (!same(shown, this.shown.peek())) this.shown.value = shown;
    });
  }

  /** The connection is gone: another's clock says nothing of its frames, and values that are old mislead. */
  lost(): void {
    this.clock.forget();
    this.traces.clear();
    this.show(undefined);
  }

  private keep(picks: readonly Pick[]): void {
    const all = recalled(this.storage, KEY);
    if (picks.length > 0) all[this.camera] = picks;
    else delete all[this.camera];
    keep(this.storage, KEY, all);
  }
}

function same(some: readonly Beside[], others: readonly Beside[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, at) => {
      const other = others[at] as Beside;
      return (
        one.device === other.device &&
        one.metric === other.metric &&
        one.time === other.time &&
        one.value === other.value
      );
    })
  );
}

function chosen(kept: unknown): Pick[] {
  if (!Array.isArray(kept)) return [];
  const found = kept.filter(
    (pick): pick is [string, string] =>
      Array.isArray(pick) && pick.length === 2 && pick.every((name) => typeof name === "string"),
  );
  return found.slice(0, PICKS_LIMIT);
}
