import uPlot from "uplot";
import type { Metric } from "../api/types.ts";
import { byteScale, decimalsForStep, fixed } from "../format/number.ts";
import { tick } from "../format/time.ts";
import { converted, sentBack, shownAs } from "../format/units.ts";
import { isState } from "../format/value.ts";
import { offsetMs, shownZone } from "../format/zone.ts";
import type { SeriesWindow } from "../state/window.ts";
import {
  findGaps,
  gapAfterMs,
  niceRange,
  niceTicks,
  timeStep,
  timeTicks,
  widened,
} from "./scale.ts";
import { palette } from "./theme.ts";

export interface PlotOptions {
  metric: Metric;
  width: number;
  height: number;
  /** A small chart: no axes, no crosshair. */
  spark: boolean;
  /** The bucket under the crosshair, or null. */
  onCursor?: (index: number | null) => void;
  /** A span was chosen by dragging across it, or the plot was dragged to it (UTC ms). */
  onSpan?: (fromMs: number, toMs: number) => void;
  onReset?: () => void;
  /** Whether the values are old: the trace is then drawn faded. */
  faded: () => boolean;
}

const SYNC_KEY = "outpost";
const AXIS_WIDTH = 52;
const AXIS_HEIGHT = 22;
const TICK_PX = 84;

/** A uPlot over one window: band from min to max, line along the mean; steps for booleans and enums. */
export function makePlot(at: HTMLElement, window: SeriesWindow, options: PlotOptions): uPlot {
  const { metric, spark } = options;
  const state = isState(metric);
  const trace = () => (options.faded() ? palette.peek().faded : palette.peek().trace);
  const band = () => (options.faded() ? palette.peek().fadedBand : palette.peek().band);
  const gaps = gapsOf(window, metric);
  const paths = state ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.();
  const line = { gaps, points: { show: false }, ...(paths && { paths }) };
  const edge: uPlot.Series = { ...line, width: 0, stroke: "transparent" };
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: spark ? [3, 1, 3, 1] : [10, 8, 0, 0],
      legend: { show: false },
      cursor: spark ? { show: false } : cursor(options),
      scales: { x: { time: true, auto: false }, y: { range: yRange(metric, spark) } },
      axes: spark ? [{ show: false }, { show: false }] : [timeAxis(), valueAxis(metric)],
      series: [
        {},
        edge,
        edge,
        {
          ...line,
          stroke: trace,
          width: spark ? 1.25 : 1.5,
          ...(state && { fill: band }),
        },
      ],
      ...(!state && { bands: [{ series: [1, 2], fill: band }] }),
      hooks: {
        setCursor: [(self) => options.onCursor?.(self.cursor.idx ?? null)],
        setSelect: [(self) => takeSelection(self, options)],
      },
    },
    dataOf(window, state),
    at,
  );
  return plot;
}

/** Put the window's present content on the plot, up to `nowMs`. */
export function drawPlot(plot: uPlot, window: SeriesWindow, metric: Metric, nowMs: number): void {
  plot.batch(() => {
    plot.setData(dataOf(window, isState(metric)), false);
    plot.setScale("x", { min: (nowMs - window.spanMs) / 1000, max: nowMs / 1000 });
  });
}

function dataOf(window: SeriesWindow, state: boolean): uPlot.AlignedData {
  const { time, min, max, mean } = window.columns();
  // A state that was seen at all within a bucket is shown.
  return [time, max, min, state ? max : mean];
}

function gapsOf(window: SeriesWindow, metric: Metric): uPlot.Series.GapsRefiner {
  const limit = gapAfterMs(metric.interval_ms, window.bucketMs);
  return (self, _series, from, to) => {
    const time = self.data[0];
    // A step rises at the gap's very end: a pixel more hides it.
    const more = isState(metric) ? devicePixelRatio : 0;
    return findGaps(time, from, to, limit).map(([a, b]) => [
      Math.round(self.valToPos(time[a] ?? 0, "x", true)),
      Math.round(self.valToPos(time[b] ?? 0, "x", true) + more),
    ]);
  };
}

function yRange(metric: Metric, spark: boolean): uPlot.Range.Function {
  if (metric.kind === "boolean") return () => [0, 1.15];
  if (metric.kind === "enum")
    return () => [-0.2, Math.max(1, (metric.options?.length ?? 2) - 1) + 0.2];
  const least = metric.decimals === null ? 0 : 10 ** -metric.decimals * 4;
  return (_self, min, max) => {
    if (min === null || max === null) return [0, 1];
    const [low, high] = widened(min, max, least);
    if (!spark) return niceAs(metric.unit, low, high);
    return low === high ? [low - 1, high + 1] : [low, high];
  };
}

/** A range on whole steps of the unit that is shown, in the unit that is sent. */
function niceAs(unit: string, low: number, high: number): [number, number] {
  const to = shownAs(unit);
  const [from, upTo] = niceRange(converted(low, to), converted(high, to));
  return [sentBack(from, to), sentBack(upTo, to)];
}

/** Dragging across chooses a span; with Shift it moves the plot; a double click leads back to live. */
function cursor(options: PlotOptions): uPlot.Cursor {
  return {
    y: false,
    drag: { x: true, y: false, setScale: false, dist: 5 },
    points: { show: false },
    bind: {
      mousedown: (self, _target, choose) => (event) => {
        if (event.shiftKey) dragPlot(self, event, options);
        else choose(event);
        return null;
      },
      dblclick: () => () => {
        options.onReset?.();
        return null;
      },
    },
    // Only the crosshair is shared: the span chosen is the page's anyway.
    sync: {
      key: SYNC_KEY,
      filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
    },
  };
}

function takeSelection(self: uPlot, options: PlotOptions): void {
  const { left, width } = self.select;
  if (width < 5) return;
  self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  options.onSpan?.(self.posToVal(left, "x") * 1000, self.posToVal(left + width, "x") * 1000);
}

function dragPlot(self: uPlot, start: MouseEvent, options: PlotOptions): void {
  const { min = 0, max = 0 } = self.scales["x"] ?? {};
  const perPx = ((max ?? 0) - (min ?? 0)) / Math.max(1, self.over.clientWidth);
  const span = (event: MouseEvent) => {
    const by = (event.clientX - start.clientX) * perPx;
    return { min: (min ?? 0) - by, max: (max ?? 0) - by };
  };
  const move = (event: MouseEvent) => self.setScale("x", span(event));
  const end = (event: MouseEvent) => {
    removeEventListener("mousemove", move);
    const { min: from, max: to } = span(event);
    if (event.clientX !== start.clientX) options.onSpan?.(from * 1000, to * 1000);
  };
  addEventListener("mousemove", move);
  addEventListener("mouseup", end, { once: true });
}

/** Put the crosshair `by` buckets further; from nowhere it comes in at the end. */
export function stepCursor(plot: uPlot, by: number): void {
  const time = plot.data[0];
  if (time.length === 0) return;
  const now = plot.cursor.idx ?? (by < 0 ? time.length : time.length - 2);
  const at = Math.max(0, Math.min(time.length - 1, now + by));
  plot.setCursor({ left: plot.valToPos(time[at] ?? 0, "x"), top: 1 });
}

export const hideCursor = (plot: uPlot): void => plot.setCursor({ left: -10, top: -10 });

const grid = (): uPlot.Axis.Grid => ({ stroke: () => palette.peek().grid, width: 1 });

function timeAxis(): uPlot.Axis {
  const step = (self: uPlot) => {
    const { min = 0, max = 0 } = self.scales["x"] ?? {};
    return timeStep(((max ?? 0) - (min ?? 0)) * 1000, self.width / TICK_PX);
  };
  return {
    size: AXIS_HEIGHT,
    font: palette.peek().font,
    stroke: () => palette.peek().label,
    grid: grid(),
    ticks: { show: false },
    gap: 6,
    splits: (self, _axis, min, max) => {
      const zoneMs = offsetMs(max * 1000, shownZone());
      return timeTicks(min * 1000, max * 1000, step(self), zoneMs).map((ms) => ms / 1000);
    },
    values: (self, splits) => splits.map((s) => tick(s * 1000, step(self))),
  };
}

function valueAxis(metric: Metric): uPlot.Axis {
  const axis: uPlot.Axis = {
    size: AXIS_WIDTH,
    font: palette.peek().font,
    stroke: () => palette.peek().label,
    grid: grid(),
    ticks: { show: false },
    gap: 6,
  };
  if (metric.kind === "boolean") {
    return { ...axis, splits: () => [0, 1], values: () => ["off", "on"] };
  }
  if (metric.kind === "enum") {
    const options = metric.options ?? [];
    return { ...axis, splits: () => options.map((_, at) => at), values: () => [...options] };
  }
  return {
    ...axis,
    splits: (self, _axis, min, max) => {
      const to = shownAs(metric.unit);
      const count = Math.max(2, self.height / 42);
      return niceTicks(converted(min, to), converted(max, to), count).map((at) => sentBack(at, to));
    },
    // Without samples a scale would be made up.
    values: (self, splits) =>
      self.data[0].length > 0 ? valueLabels(splits, metric.unit) : splits.map(() => ""),
  };
}

/** Labels of one axis: all in the same unit, with the same digits. */
export function valueLabels(sent: number[], sentUnit: string): string[] {
  const to = shownAs(sentUnit);
  const { unit } = to;
  const splits = sent.map((at) => converted(at, to));
  const size = Math.max(...splits.map(Math.abs), 0);
  const scale = byteScale(unit, size) ?? { by: 1, unit: "" };
  const step = splits.length > 1 ? ((splits[1] ?? 0) - (splits[0] ?? 0)) / scale.by : 1;
  const decimals = decimalsForStep(step);
  return splits.map((split) => {
    const text = fixed(split / scale.by, decimals);
    return scale.unit ? `${text} ${scale.unit}` : text;
  });
}
