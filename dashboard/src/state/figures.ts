import { quantileBound, type Series, total } from "../api/prometheus.ts";
import type { HubInfo } from "../api/types.ts";
import type { Figure } from "../components/Figures.tsx";
import { figure as linkFigure } from "../format/figure.ts";
import { fixed, longDuration, NO_VALUE, quantity } from "../format/number.ts";
import { text } from "../text/catalogue.ts";

export interface Group {
  title: string;
  figures: Figure[];
}

type All = Map<string, Series[]>;

/** The hub's counters as a person reads them. `rate` is what reaches this page (samples/s). */
export function healthGroups(all: All, info: HubInfo, nowMs: number, rate: number): Group[] {
  const words = text.health;
  return [
    { title: words.hub, figures: hubFigures(all, info, nowMs) },
    { title: words.store, figures: storeFigures(all, info) },
    {
      title: words.stream,
      figures: [
        count(words.subscribers, total(all, "outpost_stream_subscribers")),
        count(words.dropped, total(all, "outpost_stream_dropped_samples_total"), "warn"),
        { title: words.rate, value: fixed(rate, 0), unit: text.unit.samplesPerSecond },
        count(words.viewers, total(all, "outpost_camera_viewers")),
        count(words.encoders, total(all, "outpost_camera_encoders")),
      ],
    },
    { title: words.process, figures: processFigures(all) },
    ...labelled(words.commands, all.get("outpost_commands_total"), "state", text.command.states),
    ...labelled(words.refusals, all.get("outpost_refusals_total"), "reason", {}),
  ];
}

function hubFigures(all: All, info: HubInfo, nowMs: number): Figure[] {
  const words = text.health;
  const started = total(all, "process_start_time_seconds");
  const skew = (nowMs - Date.now()) / 1000;
  return [
    { title: words.name, value: info.name },
    { title: words.version, value: info.version },
    {
      title: words.started,
      value: started === null ? NO_VALUE : longDuration(nowMs / 1000 - started),
    },
    {
      title: words.clock,
      value: `${skew >= 0 ? "+" : ""}${fixed(skew, 1)}`,
      unit: "s",
      ...(Math.abs(skew) > 5 && { tone: "warn" as const }),
    },
    { title: words.epoch, value: info.epoch },
  ];
}

function storeFigures(all: All, info: HubInfo): Figure[] {
  const words = text.health;
  const degraded = info.health.store_degraded;
  const sum = total(all, "outpost_commit_seconds_sum");
  const commits = total(all, "outpost_commit_seconds_count");
  const p99 = quantileBound(all, "outpost_commit_seconds", 0.99);
  return [
    { title: words.storeState, value: degraded ?? words.storeWell, tone: degraded ? "bad" : "ok" },
    count(words.taken, total(all, "outpost_samples_total")),
    count(words.committed, total(all, "outpost_samples_committed_total")),
    count(words.queue, total(all, "outpost_store_queue_readings")),
    count(words.duplicates, total(all, "outpost_readings_duplicate_total")),
    count(words.refusedReadings, total(all, "outpost_readings_refused_total"), "warn"),
    ms(words.commitMean, sum !== null && commits ? sum / commits : null),
    ms(words.commitP99, p99),
  ];
}

function processFigures(all: All): Figure[] {
  const words = text.health;
  const memory = total(all, "process_resident_memory_bytes");
  const cpu = total(all, "process_cpu_seconds_total");
  const shown = memory === null ? null : quantity(memory, "B", null);
  return [
    { title: words.memory, value: shown?.text ?? NO_VALUE, unit: shown?.unit ?? "" },
    {
      title: words.cpu,
      value: cpu === null ? NO_VALUE : cpu < 600 ? fixed(cpu, 1) : longDuration(cpu),
      unit: cpu !== null && cpu < 600 ? "s" : "",
    },
    count(words.files, total(all, "process_open_fds")),
  ];
}

/** Links as a table: a row for each figure, a column for each device. */
export function linkTable(all: All): {
  devices: string[];
  rows: { title: string; cells: string[] }[];
} {
  const devices = new Map<string, Map<string, number>>();
  const names: string[] = [];
  for (const { labels, value } of all.get("outpost_link") ?? []) {
    const { device = "", figure = "" } = labels;
    if (!names.includes(figure)) names.push(figure);
    const row = devices.get(device) ?? new Map<string, number>();
    row.set(figure, value);
    devices.set(device, row);
  }
  const sorted = [...devices].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
  return {
    devices: sorted.map(([device]) => device),
    rows: names.map((name) => ({
      title: linkFigure(name, 0).title,
      cells: sorted.map(([, figures]) => {
        const value = figures.get(name);
        if (value === undefined) return NO_VALUE;
        const { value: shown, unit } = linkFigure(name, value);
        return unit ? `${shown} ${unit}` : shown;
      }),
    })),
  };
}

function labelled(
  title: string,
  series: Series[] | undefined,
  label: string,
  names: Record<string, string>,
): Group[] {
  if (!series || series.length === 0) return [];
  const figures = series.map(({ labels, value }) => {
    const name = labels[label] ?? "";
    return { title: names[name] ?? name, value: fixed(value, 0) };
  });
  return [{ title, figures }];
}

function count(title: string, value: number | null, tone?: "warn"): Figure {
  const shown = { title, value: value === null ? NO_VALUE : fixed(value, 0) };
  return tone && value ? { ...shown, tone } : shown;
}

function ms(title: string, seconds: number | null): Figure {
  if (seconds === null) return { title, value: NO_VALUE };
  return { title, value: fixed(seconds * 1000, seconds < 0.01 ? 1 : 0), unit: text.unit.ms };
}
