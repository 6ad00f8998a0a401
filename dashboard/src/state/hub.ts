import { batch, computed, type Signal, signal } from "@preact/signals";
import type { Alert } from "../api/alerts.ts";
import { ApiError, type Client } from "../api/client.ts";
import type { Enrolment } from "../api/enrolments.ts";
import type { ServerEvent } from "../api/sse.ts";
import type { StreamStatus } from "../api/stream.ts";
import type {
  CameraInfo,
  CommandRecord,
  CommandResult,
  Device,
  HubInfo,
  LiveSample,
  LogLine,
  SessionInfo,
} from "../api/types.ts";
import { hubZone, knownZone } from "../format/zone.ts";
import { Alerts } from "./alerts.ts";
import { Backfill } from "./backfill.ts";
import { DeviceState } from "./device.ts";
import { Enrolments } from "./enrolments.ts";
import { FrameScheduler } from "./frame.ts";
import type { Seen } from "./memory.ts";
import type { MetricState } from "./metric.ts";

/** Digits that change faster than this cannot be read. */
const READOUT_MS = 200;
/** So many readouts change together, and for so long in one frame; the browser takes as long again to lay them out. */
const SHOWN_TOGETHER = 16;
const SHOW_MS = 4;
const RATE_WINDOW_S = 5;

/** All that the page knows of the hub: fed by the live stream and HTTP, read by components. */
export class Hub {
  readonly status: Signal<StreamStatus>;
  readonly session = signal<SessionInfo | null>(null);
  readonly info = signal<HubInfo | null>(null);
  /** By id; the map is new whenever a device is added. */
  readonly devices = signal<ReadonlyMap<string, DeviceState>>(new Map());
  readonly cameras = signal<CameraInfo[]>([]);
  /** `loading` until the first answer; then `ready`, or `failed` with the reason in `error`. */
  readonly loaded = signal<"loading" | "ready" | "failed">("loading");
  readonly error = signal("");
  /** Hub time in ms, once a second. */
  readonly now = signal(Date.now());
  /** Samples a second that reach this page. */
  readonly rate = signal(0);
  /** States of commands as they change, newest last; pages pick out what concerns them. */
  readonly commandNews = signal<CommandRecord | null>(null);
  /** How many samples the hub dropped because this page was too slow. */
  readonly dropped = signal(0);
  readonly frame = new FrameScheduler();
  readonly backfill: Backfill;
  readonly alerts: Alerts;
  readonly enrolments: Enrolments;
  readonly live = computed(() => this.status.value.state === "live");
  /** When what is on screen was seen, where it is not from the hub but from this browser's memory. */
  readonly keptFrom = signal<number | null>(null);
  /** Whether the last answer that was asked for did not come at all. */
  readonly unreached = signal(false);
  /** Whether the hub has a newer dashboard than this one. */
  readonly upgraded = signal(false);
  readonly epoch = computed(() => this.info.value?.epoch ?? null);
  /** Whether the hub still speaks to this page; a reconnect that is young does not count against it. */
  readonly heard = computed(
    () =>
      this.keptFrom.value === null && !["stale", "signed_out"].includes(this.status.value.state),
  );
  readonly client: Client;
  private offsetMs = 0;
  private readonly pending = new Set<MetricState>();
  private readonly drawings = new Set<() => void>();
  private readonly calm = new Set<() => void>();
  private flushAt = 0;
  private flushTimer = 0;
  private counts: number[] = [0];
  private touched: Set<string> | null = null;

  constructor(client: Client, status: StreamStatus) {
    this.client = client;
    this.status = signal(status);
    this.alerts = new Alerts(client);
    this.enrolments = new Enrolments(client);
    this.backfill = new Backfill(client, () => this.hubNow());
  }

  /** The hub's clock, as far as this page can tell. */
  hubNow(): number {
    return Date.now() + this.offsetMs;
  }

  /** Where windows that move on end: now, or when what is on screen was seen. */
  liveEnd(): number {
    return this.keptFrom.peek() ?? this.hubNow();
  }

  /** Draw `drawing` in a frame after news and at least once a second, until the returned function is called. */
  onFrame(drawing: () => void): () => void {
    this.drawings.add(drawing);
    this.frame.ask(drawing);
    return () => {
      this.drawings.delete(drawing);
      this.frame.drop(drawing);
    };
  }

  /** As `onFrame`, but in the frames in which readouts change and no others: what moves slowly costs no frame. */
  onFlush(drawing: () => void): () => void {
    this.calm.add(drawing);
    this.frame.ask(drawing);
    return () => {
      this.calm.delete(drawing);
      this.frame.drop(drawing);
    };
  }

  /** Once a second: time passes also where nothing comes. */
  tick(): void {
    this.counts.push(0);
    if (this.counts.length > RATE_WINDOW_S + 1) this.counts.shift();
    const whole = this.counts.slice(0, -1);
    batch(() => {
      this.rate.value = Math.round(
        whole.reduce((sum, n) => sum + n, 0) / Math.max(1, whole.length),
      );
      this.now.value = this.hubNow();
    });
    for (const drawing of this.drawings) this.frame.ask(drawing);
    for (const drawing of this.calm) this.frame.ask(drawing);
  }

  /** Fetch who we are, what the hub is and has. Runs at start and after every hole in the stream. */
  async load(): Promise<void> {
    this.touched = new Set();
    void this.alerts.load();
    void this.enrolments.load();
    try {
      const [, info, devices, cameras] = await Promise.all([
        // Who we are is worth knowing also where the rest cannot be had.
        this.client.session().then((session) => {
          this.session.value = session;
        }),
        this.refreshInfo(),
        this.client.devices(),
        this.client.cameras().catch(() => this.cameras.peek()),
      ]);
      batch(() => {
        this.info.value = info;
        this.cameras.value = cameras;
        this.unreached.value = false;
        if (this.keptFrom.peek() !== null) this.forgetKept(devices);
        for (const device of devices) {
          // What the stream said while the answer was under way is newer.
          if (!this.touched?.has(device.id)) this.takeDevice(device);
        }
        this.loaded.value = "ready";
        this.error.value = "";
      });
    } catch (error) {
      if (this.loaded.peek() !== "ready") this.loaded.value = "failed";
      this.error.value = error instanceof Error ? error.message : String(error);
      this.unreached.value = error instanceof ApiError && error.status === 0;
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.touched = null;
    }
  }

  /** What is on screen, for the next time that the hub cannot be reached; null before there is anything. */
  seen(): Seen | null {
    const info = this.info.peek();
    if (this.loaded.peek() !== "ready" || this.keptFrom.peek() !== null || info === null)
      return null;
    const devices = [...this.devices.peek().values()].map((device) => device.seen());
    return { time: this.hubNow(), info, devices, cameras: this.cameras.peek() };
  }

  /** Show what was seen before, marked as old, unless the hub has answered meanwhile. */
  recall(seen: Seen): void {
    if (this.loaded.peek() === "ready") return;
    batch(() => {
      this.info.value = seen.info;
      this.cameras.value = seen.cameras;
      for (const device of seen.devices) this.takeDevice(device);
      this.keptFrom.value = seen.time;
      this.loaded.value = "ready";
    });
  }

  /** The hub answers again: what it does not have any more goes. */
  private forgetKept(devices: Device[]): void {
    const there = new Set(devices.map((device) => device.id));
    const kept = [...this.devices.peek()].filter(([id]) => there.has(id));
    this.devices.value = new Map(kept);
    this.keptFrom.value = null;
  }

  async refreshInfo(): Promise<HubInfo> {
    const sent = Date.now();
    const info = await this.client.hub();
    this.offsetMs = info.time - (sent + Date.now()) / 2;
    this.info.value = info;
    if (info.time_zone !== hubZone.peek()) hubZone.value = knownZone(info.time_zone);
    return info;
  }

  /** The stream had a hole: everything on screen is fetched anew. */
  heal(): void {
    void this.load();
    for (const metric of this.metrics()) {
      for (const feed of metric.feeds) this.backfill.fill(metric, feed);
    }
  }

  /** The hub can be asked again: history is fetched for the windows that it did not come for. */
  refillFailed(): void {
    for (const metric of this.metrics()) {
      for (const feed of metric.feeds) {
        if (feed.state.peek() === "failed") this.backfill.open(metric, feed);
      }
    }
  }

  *metrics(): Iterable<MetricState> {
    for (const device of this.devices.peek().values()) yield* device.metrics.peek();
  }

  /** Take in one event of the live stream. */
  take(event: ServerEvent): void {
    switch (event.type) {
      case "samples":
        this.takeSamples(JSON.parse(event.data) as LiveSample[]);
        break;
      case "device": {
        const device = JSON.parse(event.data) as Device;
        this.touched?.add(device.id);
        batch(() => this.takeDevice(device));
        break;
      }
      case "alert":
        this.alerts.take(JSON.parse(event.data) as Alert);
        break;
      case "enrolment":
        this.enrolments.take(JSON.parse(event.data) as Enrolment);
        break;
      case "command":
        this.commandNews.value = JSON.parse(event.data) as CommandResult;
        break;
      case "log": {
        const line = JSON.parse(event.data) as LogLine;
        this.devices.peek().get(line.device)?.addLines([line]);
        break;
      }
      case "gap":
        this.takeGap(event.data);
        break;
      case "reload":
        void this.load();
        break;
      case "reset":
        this.heal();
        break;
    }
  }

  private takeGap(data: string): void {
    this.dropped.value += (JSON.parse(data) as { samples: number }).samples;
    this.heal();
  }

  private takeSamples(samples: LiveSample[]): void {
    this.counts[this.counts.length - 1] = (this.counts.at(-1) ?? 0) + samples.length;
    const devices = this.devices.peek();
    for (const [device, name, time, value, quality] of samples) {
      const metric = devices.get(device)?.metric(name);
      if (metric?.push(time, value, quality)) this.pending.add(metric);
    }
    for (const drawing of this.drawings) this.frame.ask(drawing);
    this.askFlush();
  }

  /** Show what is pending in the next frame, or when the last change could be read. */
  private askFlush(): void {
    if (this.flushTimer !== 0) return;
    const wait = this.flushAt - performance.now();
    if (wait <= 0) {
      this.show();
      return;
    }
    this.flushTimer = window.setTimeout(() => {
      this.flushTimer = 0;
      this.show();
    }, wait);
  }

  /** In one frame, for each frame costs. */
  private show(): void {
    this.frame.ask(this.flush);
    for (const drawing of this.calm) this.frame.ask(drawing);
  }

  /** Move the newest samples to the signals that readouts follow. */
  private readonly flush = (): void => {
    const began = performance.now();
    this.flushAt = began + READOUT_MS;
    const waiting = [...this.pending];
    for (let at = 0; at < waiting.length; at += SHOWN_TOGETHER) {
      // The rest in the next frame: none takes so long that it is felt.
      if (performance.now() - began >= SHOW_MS) {
        this.frame.ask(this.flush);
        return;
      }
      batch(() => {
        for (const metric of waiting.slice(at, at + SHOWN_TOGETHER)) {
          metric.last.value = metric.newest;
          this.pending.delete(metric);
        }
      });
    }
  };

  private takeDevice(device: Device): void {
    const known = this.devices.peek().get(device.id);
    if (known) {
      known.describe(device);
      return;
    }
    const all = [...this.devices.peek(), [device.id, new DeviceState(device)] as const];
    all.sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
    this.devices.value = new Map(all);
  }
}
