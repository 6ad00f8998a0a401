import type { Hub } from "../state/hub.ts";
import type { Feed, Freshness, MetricState } from "../state/metric.ts";
import { type Box, drawSpark } from "./spark.ts";
import { palette } from "./theme.ts";

export interface Spark {
  /** The place that the row keeps free for its small chart. */
  at: HTMLElement;
  metric: MetricState;
  feed: Feed;
  freshness: () => Freshness;
}

/** A sheet is drawn when its traces moved by a pixel, and not more often than this. */
const PACE_MS = 1000;

/**
 * One canvas under the rows of a panel, with all of its small charts. A canvas each would be a layer each, and
 * the browser's compositor goes through all layers for every frame.
 */
export class SparkSheet {
  private readonly hub: Hub;
  private readonly sparks = new Set<Spark>();
  private boxes = new Map<Spark, Box>();
  private canvas: HTMLCanvasElement | null = null;
  private visible = false;
  private measured = false;
  private paceMs = PACE_MS;
  /** Sheets of one page take turns. */
  private drawnAt = -Math.random() * PACE_MS;

  constructor(hub: Hub) {
    this.hub = hub;
  }

  /** Draw a row's small chart, until the returned function is called. */
  add(spark: Spark): () => void {
    this.sparks.add(spark);
    spark.feed.changed = this.redraw;
    this.remeasure();
    return () => {
      this.sparks.delete(spark);
      spark.feed.changed = () => {};
      this.remeasure();
    };
  }

  /** Draw on `canvas`, which lies over the panel's `rows`, until the returned function is called. */
  mount(canvas: HTMLCanvasElement, rows: HTMLElement): () => void {
    this.canvas = canvas;
    const offPaced = this.hub.onFlush(this.draw);
    const offTheme = palette.subscribe(this.redraw);
    const sizes = new ResizeObserver(this.remeasure);
    sizes.observe(rows);
    const sights = new IntersectionObserver(([entry]) => {
      this.visible = entry?.isIntersecting ?? false;
      if (this.visible) this.redraw();
    });
    sights.observe(rows);
    return () => {
      offPaced();
      offTheme();
      sizes.disconnect();
      sights.disconnect();
      this.canvas = null;
    };
  }

  private readonly remeasure = (): void => {
    this.measured = false;
    this.redraw();
  };

  private readonly redraw = (): void => {
    this.drawnAt = Number.NEGATIVE_INFINITY;
    this.hub.frame.ask(this.draw);
  };

  private readonly draw = (): void => {
    const { canvas } = this;
    const now = performance.now();
    if (!canvas || !this.visible || now - this.drawnAt < this.paceMs - 50) return;
    this.drawnAt = now;
    if (!this.measured) this.measure(canvas);
    const pen = canvas.getContext("2d");
    if (!pen || this.boxes.size === 0) return;
    const scale = devicePixelRatio;
    const until = this.hub.liveEnd();
    const { trace, band, faded, fadedBand, warn, bad } = palette.peek();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineWidth = 1.25;
    pen.lineJoin = "round";
    for (const [spark, box] of this.boxes) {
      const old = spark.freshness() !== "live";
      const ink = old ? { trace: faded, band: fadedBand, warn, bad } : { trace, band, warn, bad };
      drawSpark(pen, box, spark.feed.window, spark.metric.meta.peek(), until, ink);
    }
  };

  /** The canvas covers the rows' traces, from the first to the last. */
  private measure(canvas: HTMLCanvasElement): void {
    const ground = canvas.parentElement?.getBoundingClientRect();
    if (!ground) return;
    const found = [...this.sparks].map((spark) => ({
      spark,
      at: spark.at.getBoundingClientRect(),
    }));
    const shown = found.filter(({ at }) => at.width > 0);
    this.boxes = new Map();
    this.measured = true;
    const left = Math.min(...shown.map(({ at }) => at.left));
    const right = Math.max(...shown.map(({ at }) => at.right));
    const top = Math.min(...shown.map(({ at }) => at.top));
    const bottom = Math.max(...shown.map(({ at }) => at.bottom));
    if (shown.length === 0) {
      canvas.width = canvas.height = 0;
      return;
    }
    const scale = devicePixelRatio;
    canvas.width = Math.round((right - left) * scale);
    canvas.height = Math.round((bottom - top) * scale);
    canvas.style.left = `${left - ground.left}px`;
    canvas.style.top = `${top - ground.top}px`;
    canvas.style.width = `${right - left}px`;
    canvas.style.height = `${bottom - top}px`;
    for (const { spark, at } of shown) {
      const { width, height } = at;
      this.paceMs = Math.max(PACE_MS, spark.feed.window.spanMs / width);
      this.boxes.set(spark, { left: at.left - left, top: at.top - top, width, height });
    }
  }
}
