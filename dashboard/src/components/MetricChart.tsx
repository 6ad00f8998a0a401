import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Chart, type Steer } from "../charts/Chart.tsx";
import { csvUrl, savePng } from "../charts/export.ts";
import { full, hover, moment } from "../format/time.ts";
import { shown, title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Feed, MetricState } from "../state/metric.ts";
import { liveView, panned, type View, viewOf, zoomed } from "../state/view.ts";
import { text } from "../text/en.ts";
import { FreshNote, Readout, useFreshness } from "./Readout.tsx";

interface Props {
  device: DeviceState;
  metric: MetricState;
  view: Signal<View>;
}

/** Figures beside a chart are renewed at this pace: they are read, not watched. */
const SUMMARY_EVERY_MS = 2000;

/** A metric with its chart over the range, its value now, and its lowest and highest. */
export function MetricChart({ device, metric, view: chosen }: Props) {
  const hub = useHub();
  const fresh = useFreshness(device, metric);
  const view = chosen.value;
  const feed = useMemo(() => metric.feed(view.spanMs, view.bucketMs, view.until), [metric, view]);
  const box = useRef<HTMLElement>(null);
  const cursor = useSignal<number | null>(null);
  useEffect(() => {
    metric.feeds.add(feed);
    hub.backfill.open(metric, feed);
    return () => {
      metric.feeds.delete(feed);
    };
  }, [feed]);
  const slot = useComputed(() => Math.floor(hub.now.value / SUMMARY_EVERY_MS));
  const summary = useComputed(() => {
    slot.value;
    feed.state.value;
    return summaryOf(metric, feed);
  });
  const spoken = spokenSpan(view, hub.now.peek());
  const meta = metric.meta.value;
  const set = (next: View) => {
    chosen.value = next;
  };
  const steer: Steer = {
    onCursor: (index) => {
      cursor.value = index;
    },
    onSpan: (from, to) => set(viewOf(from, to, hub.hubNow())),
    onReset: () => chosen.peek().until !== null && set(liveView(chosen.peek().spanMs)),
    onZoom: (factor) => set(zoomed(chosen.peek(), factor, hub.hubNow())),
    onPan: (part) => set(panned(chosen.peek(), part, hub.hubNow())),
  };
  const label = summary.value
    ? text.chart.alt(title(meta), spoken, words(metric), summary.value.min, summary.value.max)
    : text.chart.altEmpty(title(meta), spoken);
  return (
    <section ref={box} class="panel chart" data-metric={meta.name} data-fresh={fresh}>
      <header>
        <h2>{title(meta)}</h2>
        {meta.kind !== "text" && (
          <Export box={box} metric={metric} view={view} now={() => hub.hubNow()} />
        )}
        {summary.value && meta.kind === "number" && (
          <span class="extremes digits">
            <span title={text.chart.lowest}>↓ {summary.value.min}</span>
            <span title={text.chart.highest}>↑ {summary.value.max}</span>
          </span>
        )}
        {cursor.value === null ? (
          <>
            <FreshNote device={device} metric={metric} />
            <Readout device={device} metric={metric} />
          </>
        ) : (
          <AtCursor metric={metric} feed={feed} index={cursor.value} now={hub.now.peek()} />
        )}
      </header>
      {meta.kind === "text" ? (
        <p class="dim pad">{text.chart.text}</p>
      ) : (
        <>
          <Chart
            hub={hub}
            metric={metric}
            feed={feed}
            freshness={() => fresh.peek()}
            label={label}
            spoken={cursor.value === null ? "" : spokenAt(metric, feed, cursor.value)}
            steer={steer}
          />
          <FeedNote feed={feed} empty={summary.value === null} />
        </>
      )}
    </section>
  );
}

interface ExportProps {
  box: { current: HTMLElement | null };
  metric: MetricState;
  view: View;
  now: () => number;
}

/** What is seen, as CSV and as a picture. */
function Export({ box, metric, view, now }: ExportProps) {
  const { name, interval_ms: intervalMs } = metric.meta.value;
  const file = `${metric.device}-${name}`.replace(/[^\w.-]+/g, "_");
  const url = () => {
    const to = view.until ?? now();
    const points = Math.ceil(view.spanMs / view.bucketMs);
    return csvUrl({ device: metric.device, name, intervalMs }, to - view.spanMs, to, points);
  };
  return (
    <span class="export">
      <a
        href={url()}
        download={`${file}.csv`}
        title={text.chart.csv}
        onClick={(event) => {
          event.currentTarget.href = url();
        }}
      >
        CSV
      </a>
      <button
        type="button"
        class="quiet"
        title={text.chart.png}
        onClick={() => {
          const canvas = box.current?.querySelector("canvas");
          const heading = `${title(metric.meta.peek())} · ${metric.device} · ${spokenSpan(view, now())}`;
          if (canvas) savePng(canvas, heading, `${file}.png`);
        }}
      >
        PNG
      </button>
    </span>
  );
}

/** A view in words: `last hour`, or from when to when. */
export function spokenSpan(view: View, now: number): string {
  const known = view.until === null ? text.chart.ranges.spoken[view.spanMs] : undefined;
  const end = view.until ?? now;
  return known ?? text.chart.between(full(end - view.spanMs), full(end));
}

function FeedNote({ feed, empty }: { feed: Feed; empty: boolean }) {
  if (feed.state.value === "failed") {
    return <p class="veil bad">{text.chart.failed(feed.error.value)}</p>;
  }
  if (!empty) return null;
  return (
    <p class="veil dim">{feed.state.value === "loading" ? text.chart.loading : text.chart.empty}</p>
  );
}

/** What stands under the crosshair. */
function valueAt(metric: MetricState, feed: Feed, index: number) {
  const { time, mean, max } = feed.window.columns();
  const at = time[index];
  const meta = metric.meta.value;
  if (at === undefined) return null;
  const value = meta.kind === "number" ? mean[index] : max[index];
  const decoded = meta.kind === "boolean" ? value === 1 : (value ?? null);
  return { time: at * 1000, parts: shown(meta, decoded) };
}

function spokenAt(metric: MetricState, feed: Feed, index: number): string {
  const found = valueAt(metric, feed, index);
  return found ? `${full(found.time)}: ${found.parts.text} ${found.parts.unit}` : "";
}

function AtCursor(props: { metric: MetricState; feed: Feed; index: number; now: number }) {
  const found = valueAt(props.metric, props.feed, props.index);
  if (found === null) return <span class="readout" />;
  const { time, parts } = found;
  return (
    <span class="readout past">
      <span class="note digits" title={hover(time)}>
        {moment(time, props.now)}
      </span>
      <span class="value">{parts.text}</span>
      <span class="unit">{parts.unit}</span>
    </span>
  );
}

function summaryOf(metric: MetricState, feed: Feed): { min: string; max: string } | null {
  const { min, max } = feed.window.columns();
  if (min.length === 0) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of min) if (value < low) low = value;
  for (const value of max) if (value > high) high = value;
  const meta = metric.meta.peek();
  const say = (value: number) => {
    const parts = shown(meta, meta.kind === "boolean" ? value === 1 : value);
    return parts.unit ? `${parts.text} ${parts.unit}` : parts.text;
  };
  return { min: say(low), max: say(high) };
}

function words(metric: MetricState): string {
  const parts = shown(metric.meta.peek(), metric.last.peek()?.value);
  return parts.unit ? `${parts.text} ${parts.unit}` : parts.text;
}
