import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Chart } from "../charts/Chart.tsx";
import { moment } from "../format/time.ts";
import { shown, title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Feed, MetricState } from "../state/metric.ts";
import { text } from "../text/en.ts";
import type { Range } from "./Ranges.tsx";
import { FreshNote, Readout, useFreshness } from "./Readout.tsx";

interface Props {
  device: DeviceState;
  metric: MetricState;
  range: Range;
}

/** Figures beside a chart are renewed at this pace: they are read, not watched. */
const SUMMARY_EVERY_MS = 2000;

/** A metric with its chart over the range, its value now, and its lowest and highest. */
export function MetricChart({ device, metric, range }: Props) {
  const hub = useHub();
  const fresh = useFreshness(device, metric);
  const feed = useMemo(() => metric.feed(range.spanMs, range.bucketMs, () => {}), [metric, range]);
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
  const spoken = text.chart.ranges.spoken[range.spanMs] ?? "";
  const meta = metric.meta.value;
  const label = summary.value
    ? text.chart.alt(title(meta), spoken, words(metric), summary.value.min, summary.value.max)
    : text.chart.altEmpty(title(meta), spoken);
  return (
    <section class="panel chart" data-metric={meta.name} data-fresh={fresh}>
      <header>
        <h2>{title(meta)}</h2>
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
            onCursor={(index) => {
              cursor.value = index;
            }}
          />
          <FeedNote feed={feed} empty={summary.value === null} />
        </>
      )}
    </section>
  );
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

function AtCursor(props: { metric: MetricState; feed: Feed; index: number; now: number }) {
  const { time, mean, max } = props.feed.window.columns();
  const at = time[props.index];
  const meta = props.metric.meta.value;
  if (at === undefined) return <span class="readout" />;
  const value = meta.kind === "number" ? mean[props.index] : max[props.index];
  const decoded = meta.kind === "boolean" ? value === 1 : (value ?? null);
  const parts = shown(meta, decoded);
  return (
    <span class="readout past">
      <span class="note digits">{moment(at * 1000, props.now)}</span>
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
