import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Hub } from "../state/hub.ts";
import type { Feed, Freshness, MetricState } from "../state/metric.ts";
import { drawPlot, makePlot } from "./plot.ts";
import { palette } from "./theme.ts";

interface Props {
  hub: Hub;
  metric: MetricState;
  feed: Feed;
  freshness: () => Freshness;
  spark?: boolean;
  label: string;
  onCursor?: (index: number | null) => void;
}

/** A small chart is drawn when it moved by a pixel, and not more often than this. */
const SPARK_PACE_MS = 1000;

/** A chart of one window. It fills its box, and is drawn by the page's one frame scheduler. */
export function Chart({ hub, metric, feed, freshness, spark = false, label, onCursor }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const cursorSink = useRef(onCursor);
  cursorSink.current = onCursor;
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    return mountPlot(at, hub, metric, feed, freshness, spark, (index) =>
      cursorSink.current?.(index),
    );
  }, [hub, metric, feed, spark]);
  return <div ref={box} class={spark ? "spark" : "plot"} role="img" aria-label={label} />;
}

function mountPlot(
  at: HTMLElement,
  hub: Hub,
  metric: MetricState,
  feed: Feed,
  freshness: () => Freshness,
  spark: boolean,
  onCursor: (index: number | null) => void,
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
      : drawnVersion !== window.version || drawnSecond !== hub.now.peek();
    if (!due) return;
    drawnAt = now;
    drawnVersion = window.version;
    drawnSecond = hub.now.peek();
    plot ??= makePlot(at, window, {
      metric: metric.meta.peek(),
      width: at.clientWidth,
      height: at.clientHeight,
      spark,
      onCursor,
      faded: () => freshness() !== "live",
    });
    drawPlot(plot, window, metric.meta.peek(), hub.hubNow());
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
    plot = null;
    redraw();
  });
  feed.changed = redraw;
  return () => {
    offFrame();
    offTheme();
    sizes.disconnect();
    sights.disconnect();
    plot?.destroy();
    feed.changed = () => {};
  };
}
