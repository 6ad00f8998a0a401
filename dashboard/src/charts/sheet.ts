import type { Hub } from "../state/hub.ts";
import type { Feed, Freshness, MetricState } from "../state/metric.ts";
import { type Box, type Paths, sparkPaths } from "./spark.ts";

export interface Spark {
  /** The place that the row keeps free for its small chart. */
  at: HTMLElement;
  metric: MetricState;
  feed: Feed;
  freshness: () => Freshness;
}

/** A sheet is drawn when its traces moved by a pixel, and not more often than this. */
const PACE_MS = 1000;

const SVG = "http://www.w3.org/2000/svg";
const INKS: readonly (keyof Paths)[] = ["band", "trace", "uncertain", "bad"];

/** A spark's own paths: what the browser draws anew of a page is then as little as can be. */
type Drawing = Record<keyof Paths, SVGPathElement>;

/**
 * One SVG under the rows of a panel, with all of its small charts. Not a canvas: that is a layer of its own, which the
 * browser goes through and blends for every frame in which anything on the page changes.
 */
export class SparkSheet {
  private readonly hub: Hub;
  private readonly sparks = new Map<Spark, Drawing>();
  private boxes = new Map<Spark, Box>();
  private sheet: SVGSVGElement | null = null;
  private visible = false;
  private measured = false;
  private paceMs = PACE_MS;
  /** Sheets of one page take turns, also after their history came to all of them at once. */
  private readonly turn: number;
  private dueAt = 0;

  constructor(hub: Hub) {
    this.hub = hub;
    this.turn = hub.display.turn();
  }

  /** Draw a row's small chart, until the returned function is called. */
  add(spark: Spark): () => void {
    const drawing = drawingOf(this.sheet);
    this.sparks.set(spark, drawing);
    spark.feed.changed = this.redraw;
    this.remeasure();
    return () => {
      this.sparks.delete(spark);
      for (const path of Object.values(drawing)) path.remove();
      spark.feed.changed = () => {};
      this.remeasure();
    };
  }

  /** Draw on `sheet`, which lies over the panel's `rows`, until the returned function is called. */
  mount(sheet: SVGSVGElement, rows: HTMLElement): () => void {
    this.sheet = sheet;
    for (const drawing of this.sparks.values()) sheet.append(...Object.values(drawing));
    const offPaced = this.hub.display.onFlush(this.draw);
    const sizes = new ResizeObserver(this.remeasure);
    sizes.observe(rows);
    const sights = new IntersectionObserver(([entry]) => {
      this.visible = entry?.isIntersecting ?? false;
      if (this.visible) this.redraw();
    });
    sights.observe(rows);
    return () => {
      offPaced();
      sizes.disconnect();
      sights.disconnect();
      this.sheet = null;
    };
  }

  private readonly remeasure = (): void => {
    this.measured = false;
    this.redraw();
  };

  private readonly redraw = (): void => {
    this.dueAt = 0;
    this.hub.display.frame.ask(this.draw);
  };

  private readonly draw = (): void => {
    const { sheet } = this;
    const now = performance.now();
    if (!sheet || !this.visible || now < this.dueAt) return;
    if (!this.measured) this.measure(sheet);
    this.dueAt = (Math.floor(now / this.paceMs - this.turn) + 1 + this.turn) * this.paceMs;
    const until = this.hub.liveEnd();
    for (const [spark, box] of this.boxes) {
      const paths = sparkPaths(box, spark.feed.window, spark.metric.meta.peek(), until);
      const drawing = this.sparks.get(spark);
      if (drawing) put(drawing, paths, spark.freshness() !== "live");
    }
  };

  /** Where on the sheet each row keeps its place. */
  private measure(sheet: SVGSVGElement): void {
    const ground = sheet.parentElement?.getBoundingClientRect();
    if (!ground) return;
    this.boxes = new Map();
    this.measured = true;
    for (const spark of this.sparks.keys()) {
      const { left, top, width, height } = spark.at.getBoundingClientRect();
      if (width === 0) continue;
      this.paceMs = Math.max(PACE_MS, spark.feed.window.spanMs / width);
      this.boxes.set(spark, { left: left - ground.left, top: top - ground.top, width, height });
    }
  }
}

function drawingOf(sheet: SVGSVGElement | null): Drawing {
  const made = INKS.map((ink) => {
    const path = document.createElementNS(SVG, "path");
    path.dataset["ink"] = ink;
    path.setAttribute("d", "");
    return [ink, path] as const;
  });
  const drawing = Object.fromEntries(made) as Drawing;
  sheet?.append(...Object.values(drawing));
  return drawing;
}

/** Only what changed: what is set is laid out and painted again. */
function put(drawing: Drawing, paths: Paths, old: boolean): void {
  for (const ink of INKS) {
    const path = drawing[ink];
    if (path.getAttribute("d") !== paths[ink]) path.setAttribute("d", paths[ink]);
    if ((path.dataset["old"] === "yes") !== old) path.dataset["old"] = old ? "yes" : "no";
  }
}
