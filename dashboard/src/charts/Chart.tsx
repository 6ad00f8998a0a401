import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Hub } from "../state/hub.ts";
import type { Feed, Freshness, MetricState } from "../state/metric.ts";
import { chartText } from "../text/catalogue.ts";
import { type Gestures, listen } from "./gestures.ts";
import { cursorAt, drawPlot, hideCursor, makePlot, stepCursor } from "./plot.ts";
import { palette } from "./theme.ts";
import type { Parts } from "./traces.ts";

/** A metric's window on a chart. */
export interface Shown {
  metric: MetricState;
  feed: Feed;
}

/** The window that it is compared with, drawn so much later than it was. */
export interface Compared extends Shown {
  shiftMs: number;
}

interface Props {
  hub: Hub;
  main: Shown;
  second: Compared | null;
  freshness: () => Freshness;
  label: string;
  /** What is under the crosshair, in words. */
  spoken: string;
  steer: Steer;
}

/** What a chart asks of its page. */
export interface Steer {
  /** The crosshair is at this time. */
  onCursor: (ms: number | null) => void;
  onSpan: (fromMs: number, toMs: number) => void;
  /** The plot was moved by hand. */
  onMove: (fromMs: number, toMs: number) => void;
  onReset: () => void;
  /** Wider (over 1) or closer, about a place from 0 (left) to 1. */
  onZoom: (factor: number, at: number | undefined) => void;
  /** By this part of the span. */
  onPan: (part: number) => void;
  /** All charts' values under the crosshair are to be read out. */
  onRead: () => void;
}

/** A live chart is drawn when it moved by a pixel, not more often than this, and once a second at least. */
const PACE_MS = 50;

/** A chart of one window. It fills its box, and is drawn by the page's one frame scheduler. */
export function Chart(props: Props) {
  const { main, second, steer } = props;
  const box = useRef<HTMLDivElement>(null);
  const now = useRef(props);
  now.current = props;
  const mounted = useRef<Mounted | null>(null);
  // Scales and paths are of the metrics; windows come and go while the plot stays.
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    const plot = new Mounted(at, props.hub, () => now.current);
    mounted.current = plot;
    return () => {
      mounted.current = null;
      plot.end();
    };
  }, [props.hub, main.metric, second?.metric, scalesOf(main), second && scalesOf(second)]);
  useEffect(() => {
    const redraw = () => mounted.current?.redraw();
    for (const feed of [main.feed, second?.feed]) if (feed) feed.changed = redraw;
    redraw();
    return () => {
      for (const feed of [main.feed, second?.feed]) if (feed) feed.changed = () => {};
    };
  }, [main.feed, second?.feed]);
  return (
    <div
      ref={box}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={100}
      aria-valuetext={props.spoken || props.label}
      title={chartText.keys}
      onKeyDown={(event) => {
        if (press(event, mounted.current?.plot ?? null, steer)) event.preventDefault();
      }}
      onBlur={() => mounted.current?.plot && hideCursor(mounted.current.plot)}
    />
  );
}

/** What of a metric's description a plot's scales and axes rest on; a birth that changes no more keeps the plot. */
const scalesOf = ({ metric }: Shown): string => {
  const { kind, unit, options, decimals } = metric.meta.value;
  return [kind, unit, decimals, ...(options ?? [])].join();
};

/** Whether the key meant something to the chart. */
function press(event: KeyboardEvent, plot: uPlot | null, steer: Steer): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || !plot) return false;
  const far = plot.data[0].length;
  const step = (by: number) => stepCursor(plot, by);
  const zoom = (factor: number) => steer.onZoom(factor, cursorAt(plot) ?? undefined);
  const keys: Record<string, () => void> = {
    ArrowLeft: () => (event.shiftKey ? steer.onPan(-0.25) : step(-1)),
    ArrowRight: () => (event.shiftKey ? steer.onPan(0.25) : step(1)),
    PageUp: () => step(-20),
    PageDown: () => step(20),
    Home: () => step(-far),
    End: () => step(far),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    " ": () => steer.onRead(),
    Escape: () => {
      hideCursor(plot);
      steer.onReset();
    },
  };
  const act = keys[event.key];
  act?.();
  return act !== undefined;
}

/** A plot in its box: made when it is first seen, drawn when there is news of it. */
class Mounted {
  plot: uPlot | null = null;
  private gestures: Gestures | null = null;
  private readonly at: HTMLElement;
  private readonly hub: Hub;
  private readonly props: () => Props;
  private readonly offs: (() => void)[];
  private visible = false;
  private drawnVersions = "";
  private drawnAt = 0;
  private drawnSecond = 0;

  constructor(at: HTMLElement, hub: Hub, props: () => Props) {
    this.at = at;
    this.hub = hub;
    this.props = props;
    const sizes = new ResizeObserver(() => {
      this.plot?.setSize({ width: at.clientWidth, height: at.clientHeight });
      this.redraw();
    });
    sizes.observe(at);
    const sights = new IntersectionObserver(([entry]) => {
      this.visible = entry?.isIntersecting ?? false;
      if (this.visible) this.redraw();
    });
    sights.observe(at);
    this.offs = [
      hub.display.onFrame(this.draw),
      // A theme's colours reach axes and fonts only when the plot is made.
      palette.subscribe(() => {
        this.drop();
        this.redraw();
      }),
      () => sizes.disconnect(),
      () => sights.disconnect(),
    ];
  }

  readonly redraw = (): void => {
    this.drawnVersions = "";
    this.hub.display.frame.ask(this.draw);
  };

  end(): void {
    for (const off of this.offs) off();
    this.drop();
  }

  private drop(): void {
    this.gestures?.end();
    this.plot?.destroy();
    this.plot = this.gestures = null;
  }

  private readonly draw = (): void => {
    if (!this.visible || this.at.clientWidth === 0 || !this.due()) return;
    this.plot ??= this.make();
    const { main } = this.props();
    const to = main.feed.until ?? this.hub.liveEnd();
    const span = { from: to - main.feed.window.spanMs, to };
    drawPlot(this.plot, this.parts(), this.gestures?.held() ? null : span);
  };

  /** Whether there is news, and the time for it has come. */
  private due(): boolean {
    const { main, second } = this.props();
    const now = performance.now();
    const { version, spanMs } = main.feed.window;
    const versions = `${version} ${second?.feed.window.version ?? ""}`;
    const live = main.feed.until === null;
    const pace = live && this.drawnVersions !== "" ? spanMs / this.at.clientWidth : 0;
    if (now - this.drawnAt < Math.min(1000, Math.max(PACE_MS, pace)) - 8 && this.drawnVersions) {
      return false;
    }
    const second1 = this.hub.now.peek();
    if (this.drawnVersions === versions && !(live && this.drawnSecond !== second1)) return false;
    this.drawnVersions = versions;
    this.drawnAt = now;
    this.drawnSecond = second1;
    return true;
  }

  private parts(): Parts {
    const { main, second } = this.props();
    const of = ({ metric, feed }: Shown, shiftMs: number) => ({
      window: feed.window,
      metric: metric.meta.peek(),
      shiftMs,
    });
    return { main: of(main, 0), second: second && of(second, second.shiftMs) };
  }

  private make(): uPlot {
    const plot = makePlot(this.at, {
      parts: () => this.parts(),
      width: this.at.clientWidth,
      height: this.at.clientHeight,
      onCursor: (ms) => this.props().steer.onCursor(ms),
      onSpan: (from, to) => this.props().steer.onSpan(from, to),
      onReset: () => this.props().steer.onReset(),
      faded: () => this.props().freshness() !== "live",
    });
    this.gestures = listen(plot, (from, to) => this.props().steer.onMove(from, to));
    return plot;
  }
}
