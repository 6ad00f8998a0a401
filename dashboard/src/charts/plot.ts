import { isState } from "../format/value.ts";
import { timeAxis, valueAxis, valueScale } from "./axes.ts";
import { drawLone, drawMarks } from "./marks.ts";
import { palette } from "./theme.ts";
import { dataOf, merged, type Parts, pauseMs, pauses, shareAxis } from "./traces.ts";
import uPlot from "./uplot.ts";

export interface PlotOptions {
  /** What is drawn now: windows come and go while the plot stays. */
  parts: () => Parts;
  width: number;
  height: number;
  /** The time under the crosshair (UTC ms), or null. */
  onCursor: (ms: number | null) => void;
  /** A span was chosen by dragging across it (UTC ms). */
  onSpan: (fromMs: number, toMs: number) => void;
  onReset: () => void;
  /** Whether the values are old: the trace is then drawn faded. */
  faded: () => boolean;
}

const SYNC_KEY = "outpost";
/** Room for the legend, above the highest value. */
const LEGEND_PX = 19;
const DOTS = [2, 3];

/**
 * A uPlot over one window and what it is compared with: a band from min to max, a line along the mean, dotted
 * where a sample was not good; steps for booleans and enums.
 */
export function makePlot(at: HTMLElement, options: PlotOptions): uPlot {
  const { main, second } = options.parts();
  const state = isState(main.metric);
  const colour = () => (options.faded() ? palette.peek().faded : palette.peek().trace);
  const band = () => (options.faded() ? palette.peek().fadedBand : palette.peek().band);
  const line = lineOf(state, options, (parts) => parts.main);
  const edge: uPlot.Series = { ...line, width: 0, stroke: "transparent" };
  const apart = second !== null && !shareAxis(main.metric, second.metric);
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [LEGEND_PX, apart ? 0 : 8, 0, 0],
      legend: { show: false },
      cursor: cursor(options),
      scales: {
        x: { time: true, auto: false },
        y: { range: valueScale(main.metric) },
        ...(apart && { y2: { range: valueScale(second.metric) } }),
      },
      axes: [
        timeAxis(),
        valueAxis(main.metric, "y"),
        ...(apart ? [valueAxis(second.metric, "y2")] : []),
      ],
      series: [
        {},
        edge,
        edge,
        { ...line, stroke: colour, width: 1.5, ...(state && { fill: band }) },
        { ...line, stroke: () => palette.peek().warn, width: 1.75, dash: DOTS },
        {
          ...lineOf(second !== null && isState(second.metric), options, (parts) => parts.second),
          scale: apart ? "y2" : "y",
          stroke: () => palette.peek().second,
          width: 1.25,
        },
      ],
      ...(!state && { bands: [{ series: [1, 2], fill: band }] }),
      hooks: {
        draw: [
          (self) => drawLone(self, options.parts()),
          (self) => drawMarks(self, options.parts()),
        ],
        setCursor: [(self) => options.onCursor(timeAtCursor(self))],
        setSelect: [(self) => takeSelection(self, options)],
      },
    },
    dataOf(options.parts()),
    at,
  );
}

/** Put the windows' present content on the plot; `span` is what it shows, null: as it is. */
export function drawPlot(
  plot: uPlot,
  parts: Parts,
  span: { from: number; to: number } | null,
): void {
  plot.batch(() => {
    plot.setData(dataOf(parts), false);
    if (span) plot.setScale("x", { min: span.from / 1000, max: span.to / 1000 });
    else plot.redraw();
  });
}

function lineOf(
  state: boolean,
  options: PlotOptions,
  pick: (parts: Parts) => Parts["second"],
): uPlot.Series {
  const paths = state ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.();
  const gaps: uPlot.Series.GapsRefiner = (self, series, from, to, nulls) => {
    const traced = pick(options.parts());
    if (!traced) return nulls;
    const [time] = self.data;
    // A step rises at the gap's very end: a pixel more hides it.
    const more = state ? devicePixelRatio : 0;
    const x = (at: number) => Math.round(self.valToPos(time[at] ?? 0, "x", true));
    const found = pauses(time, self.data[series] ?? [], from, to, pauseMs(traced));
    const own = found.map(([a, b]): [number, number] => [x(a), x(b) + more]);
    return merged([...(nulls ?? []), ...own]);
  };
  return { gaps, points: { show: false }, ...(paths && { paths }) };
}

/** Dragging across chooses a span; a double click leads back to live. What moves the plot is in gestures.ts. */
function cursor(options: PlotOptions): uPlot.Cursor {
  return {
    y: false,
    drag: { x: true, y: false, setScale: false, dist: 5 },
    points: { show: false },
    bind: {
      mousedown: (_self, _target, choose) => (event) => {
        if (!event.shiftKey) choose(event);
        return null;
      },
      dblclick: () => () => {
        options.onReset();
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
  options.onSpan(self.posToVal(left, "x") * 1000, self.posToVal(left + width, "x") * 1000);
}

function timeAtCursor(self: uPlot): number | null {
  const { left } = self.cursor;
  return left === undefined || left < 0 ? null : self.posToVal(left, "x") * 1000;
}

/** Put the crosshair `by` buckets further, on all charts; from nowhere it comes in at the end. */
export function stepCursor(plot: uPlot, by: number): void {
  const time = plot.data[0];
  if (time.length === 0) return;
  const here = plot.cursor.left ?? -1;
  const now = here < 0 ? (by < 0 ? time.length : time.length - 2) : plot.posToIdx(here);
  const at = Math.max(0, Math.min(time.length - 1, now + by));
  placeCursor(plot, plot.valToPos(time[at] ?? 0, "x"), 1);
}

export const hideCursor = (plot: uPlot): void => placeCursor(plot, -10, -10);

function placeCursor(plot: uPlot, left: number, top: number): void {
  plot.setCursor({ left, top });
  const { clientWidth, clientHeight } = plot.over;
  const index = left < 0 ? -1 : plot.posToIdx(left);
  uPlot.sync(SYNC_KEY).pub("mousemove", plot, left, top, clientWidth, clientHeight, index);
}

/** Where the crosshair stands, from 0 (left) to 1; null where there is none. */
export function cursorAt(plot: uPlot): number | null {
  const { left } = plot.cursor;
  return left === undefined || left < 0 ? null : left / Math.max(1, plot.over.clientWidth);
}
