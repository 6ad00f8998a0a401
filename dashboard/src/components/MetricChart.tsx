import { computed, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Chart, type Compared, type Steer } from "../charts/Chart.tsx";
import { age, NO_VALUE } from "../format/number.ts";
import { full, hover, moment } from "../format/time.ts";
import { shown, title } from "../format/value.ts";
import type { Comparisons } from "../state/compare.ts";
import { useHub } from "../state/context.ts";
import type { Crosshair } from "../state/crosshair.ts";
import type { DeviceState } from "../state/device.ts";
import type { Feed, MetricState } from "../state/metric.ts";
import { inWords, ownValue, type Pointed, pointedAt } from "../state/pointed.ts";
import { liveView, movedTo, panned, type View, viewOf, zoomed } from "../state/view.ts";
import { text, chartText as words } from "../text/catalogue.ts";
import { comparedTitle, Legend } from "./ChartLegend.tsx";
import { CompareChoice, Export } from "./ChartTools.tsx";
import { FreshNote, NotedReadout, Readout, useFreshness } from "./Readout.tsx";
import { useCompared } from "./useCompared.ts";

interface Props {
  device: DeviceState;
  metric: MetricState;
  view: Signal<View>;
  comparisons: Comparisons;
  crosshair: Crosshair;
}

/** Figures beside a chart are renewed at this pace: they are read, not watched. */
const SUMMARY_EVERY_MS = 2000;

/** A metric with its chart over the range, its value now, and its lowest and highest. */
export function MetricChart({ device, metric, view: chosen, comparisons, crosshair }: Props) {
  const hub = useHub();
  const fresh = useFreshness(device, metric);
  const view = chosen.value;
  const feed = useFeed(metric, view);
  const comparison = comparisons.with(metric.key);
  const second = useCompared(metric, view, comparison.value);
  const box = useRef<HTMLElement>(null);
  const cursor = crosshair.ms;
  const summary = useSummary(metric, feed);
  const spoken = spokenSpan(view, hub.now.peek());
  const meta = metric.meta.value;
  const steer = steerOf(chosen, () => hub.hubNow(), crosshair);
  const against = second ? words.versus(comparedTitle(hub, second)) : "";
  const label = summary.value
    ? text.chart.alt(title(meta), spoken, nowOf(metric), summary.value.min, summary.value.max)
    : text.chart.altEmpty(title(meta), spoken);
  const pointed = pointedBy(metric, feed, cursor.value);
  const said = cursor.value === null ? "" : saidAt(cursor.value, pointed, second);
  const saying = useRef(said);
  saying.current = said && words.of(title(meta), said);
  useEffect(() => crosshair.join(() => saying.current), [crosshair]);
  if (meta.kind === "text") return <TextOnly device={device} metric={metric} />;
  return (
    <section ref={box} class="panel chart" data-metric={meta.name} data-fresh={fresh}>
      <header>
        <h2>{title(meta)}</h2>
        <span class="export">
          <CompareChoice
            metric={metric}
            chosen={comparison.value}
            onChoose={(next) => comparisons.choose(metric.key, next)}
          />
          <Export
            box={box}
            metric={metric}
            feed={feed}
            second={second}
            view={view}
            heading={() =>
              [title(meta), metric.device, spoken, against].filter(Boolean).join(" · ")
            }
            now={() => hub.hubNow()}
          />
        </span>
        {summary.value && meta.kind === "number" && (
          <span class="extremes digits">
            <span title={text.chart.lowest}>↓ {summary.value.min}</span>
            <span title={text.chart.highest}>↑ {summary.value.max}</span>
          </span>
        )}
        {cursor.value === null ? (
          <>
            <FreshNote fresh={fresh} metric={metric} />
            <Readout fresh={fresh} metric={metric} />
          </>
        ) : (
          <AtCursor ms={cursor.value} pointed={pointed} now={hub.now.peek()} />
        )}
      </header>
      <Chart
        hub={hub}
        main={{ metric, feed }}
        second={second}
        freshness={() => fresh.peek()}
        label={against ? `${label}, ${against}` : label}
        spoken={said}
        steer={steer}
      />
      <Legend
        metric={metric}
        feed={feed}
        second={second}
        cursor={cursor}
        onStop={() => comparisons.choose(metric.key, null)}
      />
      <FeedNote feed={feed} empty={summary.value === null} />
    </section>
  );
}

/** The window of a view, filled from history; until that comes it shows what the window before it held. */
function useFeed(metric: MetricState, view: View): Feed {
  const hub = useHub();
  const before = useRef<Feed | null>(null);
  const feed = useMemo(() => {
    const next = metric.feed(view.spanMs, view.bucketMs, view.until);
    if (before.current) next.window.seed(before.current.window);
    before.current = next;
    return next;
  }, [metric, view]);
  useEffect(() => {
    metric.feeds.add(feed);
    hub.backfill.open(metric, feed);
    return () => {
      metric.feeds.delete(feed);
    };
  }, [feed]);
  return feed;
}

function useSummary(metric: MetricState, feed: Feed): ReadonlySignal<Summary | null> {
  const hub = useHub();
  return useMemo(() => {
    const slot = computed(() => Math.floor(hub.now.value / SUMMARY_EVERY_MS));
    return computed(() => {
      slot.value;
      feed.state.value;
      return summaryOf(metric, feed);
    });
  }, [metric, feed]);
}

function steerOf(chosen: Signal<View>, now: () => number, crosshair: Crosshair): Steer {
  const set = (next: View) => {
    chosen.value = next;
  };
  return {
    onCursor: (ms) => {
      crosshair.ms.value = ms;
    },
    onSpan: (from, to) => set(viewOf(from, to, now())),
    onMove: (from, to) => set(movedTo(from, to, now())),
    onReset: () => chosen.peek().until !== null && set(liveView(chosen.peek().spanMs)),
    onZoom: (factor, at) => set(zoomed(chosen.peek(), factor, now(), at)),
    onPan: (part) => set(panned(chosen.peek(), part, now())),
    onRead: () => crosshair.readAll(),
  };
}

function TextOnly({ device, metric }: Pick<Props, "device" | "metric">) {
  const meta = metric.meta.value;
  return (
    <section class="panel chart" data-metric={meta.name}>
      <header>
        <h2>{title(meta)}</h2>
        <NotedReadout device={device} metric={metric} />
      </header>
      <p class="dim pad">{text.chart.text}</p>
    </section>
  );
}

/** A view in words: `last hour`, or from when to when. */
export function spokenSpan(view: View, now: number): string {
  const known = view.until === null ? text.chart.ranges.spoken[view.spanMs] : undefined;
  const end = view.until ?? now;
  return known ?? text.chart.between(full(end - view.spanMs), full(end));
}

function FeedNote({ feed, empty }: { feed: Feed; empty: boolean }) {
  const hub = useHub();
  const seen = feed.seen.value;
  if (seen !== null) {
    const now = hub.now.value;
    return (
      <p class="seen" title={hover(seen)}>
        {words.seen(moment(seen, now), age(now - seen))}
      </p>
    );
  }
  if (feed.state.value === "failed") {
    return (
      <p class="veil bad">
        <span>{text.chart.failed(feed.error.value)}</span>
      </p>
    );
  }
  if (!empty) return null;
  return (
    <p class="veil dim">
      <span>{feed.state.value === "loading" ? text.chart.loading : text.chart.empty}</span>
    </p>
  );
}

const pointedBy = (metric: MetricState, feed: Feed, ms: number | null): Pointed | null =>
  ms === null ? null : pointedAt(feed.window, metric.meta.value, ms);

function saidAt(ms: number, pointed: Pointed | null, second: Compared | null): string {
  const own = words.at(full(pointed?.time ?? ms), inWords(pointed));
  if (second === null) return own;
  const { metric, feed, shiftMs } = second;
  const other = pointedAt(feed.window, metric.meta.peek(), ms - shiftMs);
  return `${own}; ${words.versus(inWords(other))}`;
}

function AtCursor({ ms, pointed, now }: { ms: number; pointed: Pointed | null; now: number }) {
  const time = pointed?.time ?? ms;
  return (
    <span class="readout past" data-quality={pointed?.doubt ?? "good"}>
      <span class="note digits" title={hover(time)}>
        {moment(time, now)}
      </span>
      <span class="value">{pointed?.text ?? NO_VALUE}</span>
      <span class="unit">{pointed?.unit ?? ""}</span>
    </span>
  );
}

interface Summary {
  min: string;
  max: string;
}

function summaryOf(metric: MetricState, feed: Feed): Summary | null {
  const { min, max } = feed.window.columns();
  if (min.length === 0) return null;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of min) if (value < low) low = value;
  for (const value of max) if (value > high) high = value;
  const meta = metric.meta.value;
  const say = (value: number) => {
    const parts = shown(meta, ownValue(meta, value));
    return parts.unit ? `${parts.text} ${parts.unit}` : parts.text;
  };
  return { min: say(low), max: say(high) };
}

function nowOf(metric: MetricState): string {
  const parts = shown(metric.meta.peek(), metric.last.peek()?.value);
  return parts.unit ? `${parts.text} ${parts.unit}` : parts.text;
}
