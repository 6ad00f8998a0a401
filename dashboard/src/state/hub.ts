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
import { Display } from "./display.ts";
import { Enrolments } from "./enrolments.ts";
import type { Seen } from "./memory.ts";
import type { MetricState } from "./metric.ts";
import { Rate } from "./rate.ts";

/** All that the page knows of the hub: fed by the live stream and HTTP, read by components. */
export class Hub {
  readonly status: Signal<StreamStatus>;
  readonly session = signal<SessionInfo | null>(null);
  readonly info = signal<HubInfo | null>(null);
  /** By id; the map is new whenever a device is added or goes. */
  readonly devices = signal<ReadonlyMap<string, DeviceState>>(new Map());
  readonly cameras = signal<CameraInfo[]>([]);
  /** `loading` until the first answer; then `ready`, or `failed` with the reason in `error`. */
  readonly loaded = signal<"loading" | "ready" | "failed">("loading");
  readonly error = signal("");
  /** Hub time in ms, once a second. */
  readonly now = signal(Date.now());
  /** Samples a second that reach this page. */
  readonly rate: Signal<number>;
  /** States of commands as they change, newest last; pages pick out what concerns them. */
  readonly commandNews = signal<CommandRecord | null>(null);
  /** How many samples the hub dropped because this page was too slow. */
  readonly dropped = signal(0);
  readonly display = new Display();
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
  private readonly counted = new Rate();
  /** Of each load that is under way the devices that the stream told of meanwhile. */
  private readonly loads = new Set<Set<string>>();

  constructor(client: Client, status: StreamStatus) {
    this.client = client;
    this.status = signal(status);
    this.rate = this.counted.perSecond;
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

  /** Once a second: time passes also where nothing comes. */
  tick(): void {
    batch(() => {
      this.counted.tick();
      this.now.value = this.hubNow();
    });
    this.display.tick();
  }

  /** Fetch who we are, what the hub is and has. Runs at start and after every hole in the stream. */
  async load(): Promise<void> {
    const told = new Set<string>();
    this.loads.add(told);
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
        this.keptFrom.value = null;
        const there = new Set(devices.map((device) => device.id));
        // What the hub does not have any more goes.
        this.keepDevices((id) => there.has(id) || told.has(id));
        for (const device of devices) {
          // What the stream said while the answer was under way is newer.
          if (!told.has(device.id)) this.takeDevice(device);
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
      this.loads.delete(told);
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

  private touch(device: string): void {
    for (const told of this.loads) told.add(device);
  }

  private keepDevices(stays: (id: string) => boolean): void {
    const all = this.devices.peek();
    const kept = [...all].filter(([id]) => stays(id));
    if (kept.length < all.size) this.devices.value = new Map(kept);
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
        this.touch(device.id);
        batch(() => this.takeDevice(device));
        break;
      }
      case "removed": {
        const { device } = JSON.parse(event.data) as { device: string };
        this.touch(device);
        this.keepDevices((id) => id !== device);
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
    this.counted.add(samples.length);
    const devices = this.devices.peek();
    const news: MetricState[] = [];
    for (const [device, name, time, value, quality] of samples) {
      const metric = devices.get(device)?.metric(name);
      if (metric?.push(time, value, quality)) news.push(metric);
    }
    this.display.take(news);
  }

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
