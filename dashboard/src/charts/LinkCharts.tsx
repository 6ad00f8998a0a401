import { useEffect, useRef } from "preact/hooks";
import { usePolled } from "../components/usePolled.ts";
import { figure } from "../format/figure.ts";
import { tick } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import type { Hub } from "../state/hub.ts";
import { GAUGES, SHOWN, type Trace, traceOf } from "../state/linkhistory.ts";
import { bucketsOf } from "../state/window.ts";
import { text } from "../text/catalogue.ts";
import { niceRange } from "./scale.ts";
import { palette } from "./theme.ts";
import uPlot from "./uplot.ts";

const SPAN_MS = 86_400_000;
const POINTS = 288;
const BUCKET_MS = SPAN_MS / POINTS;
const HEIGHT = 84;
const WHOLE = [1, 2, 5]
  .flatMap((n) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((by) => n * by))
  .sort((a, b) => a - b);
/** A click loads them; after that they follow at the pace at which figures are stored. */
const EVERY_MS = 60_000;

/** A small chart for each figure of the link that tells cable from board from hub, over the last day. */
export function LinkCharts({ device }: { device: string }) {
  const hub = useHub();
  const { found, failed } = usePolled(() => load(hub, device), EVERY_MS, device);
  if (failed.value) return <p class="bad pad">{text.link.historyFailed(failed.value)}</p>;
  if (found.value === null) return <p class="dim pad">{text.link.historyLoading}</p>;
  const { traces, until } = found.value;
  if (traces.length === 0) return <p class="dim pad">{text.link.historyEmpty}</p>;
  return (
    <div class="linkcharts">
      {traces.map((trace) => (
        <LinkChart key={trace.name} trace={trace} until={until} />
      ))}
    </div>
  );
}

async function load(hub: Hub, device: string): Promise<{ traces: Trace[]; until: number }> {
  const until = Math.round(hub.hubNow());
  const names = SHOWN.map((name) => `${device}/link.${name}`);
  const { rows } = await hub.client.grid(names, until - SPAN_MS, until, POINTS);
  const found = SHOWN.map((name, at) => traceOf(name, bucketsOf(rows, at), BUCKET_MS));
  return { traces: found.filter((trace) => trace !== null), until };
}

function LinkChart({ trace, until }: { trace: Trace; until: number }) {
  const box = useRef<HTMLDivElement>(null);
  const gauge = GAUGES.includes(trace.name);
  const { title, value, unit } = figure(trace.name, trace.summary);
  const amount = unit ? `${value} ${unit}` : value;
  const words = gauge ? text.link.most(amount) : text.link.sum(amount);
  const theme = palette.value;
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    const plot = makeLinkPlot(at, trace, until, gauge);
    const sizes = new ResizeObserver(() => plot.setSize({ width: at.clientWidth, height: HEIGHT }));
    sizes.observe(at);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [trace, until, theme]);
  return (
    <figure data-figure={trace.name} data-busy={!gauge && trace.summary > 0}>
      <figcaption>
        <span>{title}</span>
        <span class="digits dim">{words}</span>
      </figcaption>
      <div ref={box} class="linkplot" role="img" aria-label={text.link.chart(title, words)} />
    </figure>
  );
}

function makeLinkPlot(at: HTMLElement, trace: Trace, until: number, gauge: boolean): uPlot {
  const { trace: stroke, band, grid, label, font } = palette.peek();
  const bars = gauge ? uPlot.paths.linear?.() : uPlot.paths.bars?.({ size: [0.9, 8, 2] });
  const axis = { stroke: label, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
  return new uPlot(
    {
      width: at.clientWidth,
      height: HEIGHT,
      padding: [10, 14, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: () => [(until - SPAN_MS) / 1000, until / 1000] },
        y: { range: (_self, _min, max) => niceRange(0, Math.max(1, max ?? 1), 2) },
      },
      axes: [
        {
          ...axis,
          size: 20,
          space: 70,
          values: (_self, splits) => splits.map((s) => tick(s * 1000, SPAN_MS / 6)),
        },
        // Half a broken frame there is none.
        { ...axis, size: 44, space: 26, incrs: WHOLE },
      ],
      series: [
        {},
        {
          stroke,
          fill: band,
          width: 1.25,
          points: { show: trace.time.length < 3, size: 4 },
          ...(bars && { paths: bars }),
        },
      ],
    },
    [trace.time, trace.value],
    at,
  );
}
