import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Device, LogLine, Metric } from "../api/types.ts";
import { MetricState } from "./metric.ts";

const CONSOLE_LINES = 500;

/** One device as the page knows it. */
export class DeviceState {
  readonly id: string;
  readonly info: Signal<Device>;
  readonly online: ReadonlySignal<boolean>;
  /** In the birth's order. */
  readonly metrics: Signal<MetricState[]>;
  readonly console = signal<LogLine[]>([]);
  private readonly byName = new Map<string, MetricState>();

  constructor(device: Device) {
    this.id = device.id;
    this.info = signal(device);
    this.online = computed(() => this.info.value.online);
    this.metrics = signal([]);
    this.adopt(device.metrics);
  }

  metric(name: string): MetricState | undefined {
    return this.byName.get(name);
  }

  /** Take in a new description: a birth, a disconnect, or a refetch. */
  describe(device: Device): void {
    this.info.value = device;
    this.adopt(device.metrics);
  }

  /** The device as it is on screen, with the newest samples. */
  seen(): Device {
    const metrics = this.metrics.peek().map((metric) => metric.seen());
    return { ...this.info.peek(), metrics };
  }

  /** Put lines before or after those that are there; doubles (seen live and fetched) are dropped. */
  addLines(lines: LogLine[]): void {
    const seen = new Set<string>();
    const all = [...this.console.peek(), ...lines].filter((line) => {
      const key = `${line.time_ms} ${line.text}`;
      return seen.has(key) ? false : seen.add(key);
    });
    all.sort((a, b) => a.time_ms - b.time_ms);
    this.console.value = all.slice(-CONSOLE_LINES);
  }

  /** Keep the states of metrics that stay: charts hold on to them. */
  private adopt(metrics: Metric[]): void {
    const before = this.metrics.peek();
    const states = metrics.map((metric) => {
      const known = this.byName.get(metric.name);
      if (known === undefined) {
        const state = new MetricState(this.id, metric);
        this.byName.set(metric.name, state);
        return state;
      }
      known.describe(metric);
      return known;
    });
    const same =
      before.length === states.length && before.every((state, at) => state === states[at]);
    if (!same) this.metrics.value = states;
  }
}
