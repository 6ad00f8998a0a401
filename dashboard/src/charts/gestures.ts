import type uPlot from "uplot";
import { pinched } from "../state/view.ts";

export interface Span {
  from: number;
  to: number;
}

/** What the hand does to a plot: it follows at once, and the page when the hand lets go. */
export interface Gestures {
  /** The span that the plot is held at (UTC ms), null while nobody moves it. */
  held: () => Span | null;
  /** Stop listening. */
  end: () => void;
}

/** A finger that moved less has only touched. */
const TOUCH_PX = 8;
/** The wheel has come to rest. */
const WHEEL_REST_MS = 180;
const WHEEL_STEP = 0.0025;

/**
 * Move and zoom a plot by hand: one finger or Shift and the mouse drag it along, two fingers pinch it, the wheel
 * with Ctrl (or a pinch on a touch pad) zooms about the pointer, and sideways it moves. One finger up or down
 * scrolls the page, as does the wheel.
 */
export function listen(plot: uPlot, onMove: (fromMs: number, toMs: number) => void): Gestures {
  const { over } = plot;
  const fingers = new Map<number, number>();
  const stop = new AbortController();
  const on = { signal: stop.signal };
  let span: Span | null = null;
  let anchors: { time: number; x: number }[] = [];
  let rest = 0;

  const width = () => Math.max(1, over.clientWidth);
  const shown = (): Span => {
    const { min, max } = plot.scales["x"] ?? {};
    return { from: (min ?? 0) * 1000, to: (max ?? 0) * 1000 };
  };
  const show = (next: Span) => {
    span = next;
    plot.setScale("x", { min: next.from / 1000, max: next.to / 1000 });
  };
  const letGo = () => {
    const ended = span;
    span = null;
    anchors = [];
    if (ended) onMove(ended.from, ended.to);
  };
  const grip = () => {
    const { from, to } = span ?? shown();
    const rate = (to - from) / width();
    anchors = [...fingers.values()].map((x) => ({ time: from + x * rate, x }));
  };
  const place = (event: PointerEvent | WheelEvent) =>
    event.clientX - over.getBoundingClientRect().left;

  const follow = () => {
    const [one, two] = anchors;
    const [x1, x2] = [...fingers.values()];
    if (!one || x1 === undefined) return;
    if (two && x2 !== undefined) {
      show(pinched([one.time, two.time], [x1, x2], width()));
      return;
    }
    if (span === null && Math.abs(x1 - one.x) < TOUCH_PX) return;
    const { from, to } = span ?? shown();
    const begin = one.time - (x1 / width()) * (to - from);
    show({ from: begin, to: begin + to - from });
  };

  over.style.touchAction = "pan-y";
  over.addEventListener(
    "pointerdown",
    (event) => {
      const drags = event.pointerType === "mouse" ? event.shiftKey && event.button === 0 : true;
      if (!drags || fingers.size === 2) return;
      fingers.set(event.pointerId, place(event));
      over.setPointerCapture(event.pointerId);
      grip();
    },
    on,
  );
  over.addEventListener(
    "pointermove",
    (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, place(event));
      follow();
    },
    on,
  );
  const lift = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size > 0) grip();
    else letGo();
  };
  over.addEventListener("pointerup", lift, on);
  // The browser took the finger for scrolling.
  over.addEventListener("pointercancel", lift, on);
  over.addEventListener(
    "wheel",
    (event) => {
      const zooms = event.ctrlKey;
      const along = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (!zooms && Math.abs(along) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
      event.preventDefault();
      const now = span ?? shown();
      show(zooms ? zoomedAt(now, place(event), width(), event.deltaY) : slid(now, along, width()));
      clearTimeout(rest);
      rest = window.setTimeout(letGo, WHEEL_REST_MS);
    },
    { ...on, passive: false },
  );
  return {
    held: () => span,
    end: () => {
      clearTimeout(rest);
      stop.abort();
    },
  };
}

function zoomedAt({ from, to }: Span, x: number, width: number, delta: number): Span {
  const rate = (to - from) / width;
  const factor = Math.exp(-delta * WHEEL_STEP);
  const grips = [x - 50, x + 50] as const;
  const times = [from + grips[0] * rate, from + grips[1] * rate] as const;
  return pinched(times, [x - 50 * factor, x + 50 * factor], width);
}

function slid({ from, to }: Span, delta: number, width: number): Span {
  const by = ((to - from) / width) * delta;
  return { from: from + by, to: to + by };
}
