import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Hub } from "../state/hub.ts";
import type { Feed, Freshness, MetricState } from "../state/metric.ts";
import { text } from "../text/en.ts";
import { drawPlot, hideCursor, makePlot, stepCursor } from "./plot.ts";
import { palette } from "./theme.ts";

interface Props {
  hub: Hub;
  metric: MetricState;
  feed: Feed;
  freshness: () => Freshness;
  spark?: boolean;
  label: string;
  /** What is under the crosshair, in words; for a chart that can be steered. */
  spoken?: string;
  steer?: Steer;
}

/** What a chart asks of its page. */
export interface Steer {
  onCursor: (index: number | null) => void;
  onSpan: (fromMs: number, toMs: number) => void;
  onReset: () => void;
  /** Wider (over 1) or closer. */
  onZoom: (factor: number) => void;
  /** By this part of the span. */
  onPan: (part: number) => void;
}

/** A small chart is drawn when it moved by a pixel, and not more often than this. */
const SPARK_PACE_MS = 1000;

/** A chart of one window. It fills its box, and is drawn by the page's one frame scheduler. */
export function Chart({ hub, metric, feed, freshness, spark = false, label, ...rest }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const steer = useRef(rest.steer);
  steer.current = rest.steer;
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    return mountPlot(at, hub, metric, feed, freshness, spark, plot, steer);
  }, [hub, metric, feed, spark]);
  if (rest.steer === undefined) {
    return <div ref={box} class={spark ? "spark" : "plot"} role="img" aria-label={label} />;
  }
  return (
    <div
      ref={box}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={100}
      aria-valuetext={rest.spoken || label}
      title={text.chart.keys}
      onKeyDown={(event) => {
        const { steer } = rest;
        if (steer && press(event, plot.current, steer)) event.preventDefault();
      }}
      onBlur={() => plot.current && hideCursor(plot.current)}
    />
  );
}

/** Whether the key meant something to the chart. */
function press(event: KeyboardEvent, plot: uPlot | null, steer: Steer): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const far = plot?.data[0].length ?? 0;
  const step = (by: number) => plot && stepCursor(plot, by);
  const keys: Record<string, () => void> = {
    ArrowLeft: () => (event.shiftKey ? steer.onPan(-0.25) : step(-1)),
    ArrowRight: () => (event.shiftKey ? steer.onPan(0.25) : step(1)),
    PageUp: () => step(-20),
    PageDown: () => step(20),
    Home: () => step(-far),
    End: () => step(far),
    "+": () => steer.onZoom(0.5),
    "=": () => steer.onZoom(0.5),
    "-": () => steer.onZoom(2),
    Escape: () => {
      if (plot) hideCursor(plot);
      steer.onReset();
    },
  };
  const act = keys[event.key];
  act?.();
  return act !== undefined;
}

function mountPlot(
  at: HTMLElement,
  hub: Hub,
  metric: MetricState,
  feed: Feed,
  freshness: () => Freshness,
  spark: boolean,
  held: { current: uPlot | null },
  steer: { current: Steer | undefined },
): () => void {
  let plot: uPlot | null = null;
  let visible = false;
  let drawnVersion = -1;
  let drawnAt = -Math.random() * SPARK_PACE_MS;
  let drawnSecond = 0;
  const { window } = feed;

  const draw = () => {
    if (!visible || at.clientWidth === 0) return;
    const now = performance.now();
    const due = spark
      ? now - drawnAt >= Math.max(SPARK_PACE_MS, window.spanMs / at.clientWidth) - 50
      : drawnVersion !== window.version || (feed.until === null && drawnSecond !== hub.now.peek());
    if (!due) return;
    drawnAt = now;
    drawnVersion = window.version;
    drawnSecond = hub.now.peek();
    plot ??= makePlot(at, window, {
      metric: metric.meta.peek(),
      width: at.clientWidth,
      height: at.clientHeight,
      spark,
      onCursor: (index) => steer.current?.onCursor(index),
      onSpan: (from, to) => steer.current?.onSpan(from, to),
      onReset: () => steer.current?.onReset(),
      faded: () => freshness() !== "live",
    });
    held.current = plot;
    drawPlot(plot, window, metric.meta.peek(), feed.until ?? hub.hubNow());
  };
  const redraw = () => {
    drawnAt = Number.NEGATIVE_INFINITY;
    drawnVersion = -1;
    hub.frame.ask(draw);
  };
  const offFrame = hub.onFrame(draw);
  const sizes = new ResizeObserver(() => {
    plot?.setSize({ width: at.clientWidth, height: at.clientHeight });
    redraw();
  });
  sizes.observe(at);
  const sights = new IntersectionObserver(([entry]) => {
    visible = entry?.isIntersecting ?? false;
    if (visible) redraw();
  });
  sights.observe(at);
  // A theme's colours reach axes and fonts only when the plot is made.
  const offTheme = palette.subscribe(() => {
    plot?.destroy();
    plot = held.current = null;
    redraw();
  });
  feed.changed = redraw;
  return () => {
    offFrame();
    offTheme();
    sizes.disconnect();
    sights.disconnect();
    plot?.destroy();
    held.current = null;
    feed.changed = () => {};
  };
}
