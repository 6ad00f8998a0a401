import type uPlot from "uplot";
import { palette } from "./theme.ts";
import { lone, type Parts, pauseMs, type Traced } from "./traces.ts";

/** Of the plot's columns (`dataOf`) their places. */
const HIGHEST = 1;
const LOWEST = 2;
const GOOD = 3;
const DOUBTFUL = 4;
const COMPARED = 5;
/** The radius of a dot where there is no line. */
const LONE_PX = 1.75;
/** The marks under what is not good: a bad one stands higher, so that they differ without colour. */
const MARK_PX = { uncertain: 3, bad: 6 };

/** A bucket between two gaps has no line: it is a dot, and an upright from its lowest to its highest. */
export function drawLone(self: uPlot, { main, second }: Parts): void {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.beginPath();
  // A dot at the very edge is whole.
  ctx.rect(bbox.left - LONE_PX, bbox.top, bbox.width + 2 * LONE_PX, bbox.height);
  ctx.clip();
  drawDots(self, GOOD, main);
  drawDots(self, DOUBTFUL, main);
  if (second !== null) drawDots(self, COMPARED, second);
  ctx.restore();
}

function drawDots(self: uPlot, series: number, traced: Traced): void {
  const [time] = self.data;
  const column = self.data[series] ?? [];
  const [first, last] = self.series[0]?.idxs ?? [0, -1];
  if (column.length === 0 || last < first) return;
  // A neighbour that is out of sight is one.
  const seen = [Math.max(0, first - 1), Math.min(time.length - 1, last + 1)] as const;
  const { scale = "y", stroke } = self.series[series] ?? {};
  const y = (of: number, at: number) => self.valToPos(self.data[of]?.[at] ?? 0, scale, true);
  const { ctx } = self;
  ctx.fillStyle = (typeof stroke === "function" ? stroke(self, series) : stroke) ?? "";
  for (const at of lone(time, column, seen, pauseMs(traced))) {
    const x = self.valToPos(time[at] ?? 0, "x", true);
    if (series !== COMPARED) {
      const [high, low] = [y(HIGHEST, at), y(LOWEST, at)];
      ctx.fillRect(x - devicePixelRatio / 2, high, devicePixelRatio, low - high);
    }
    ctx.beginPath();
    ctx.arc(x, y(series, at), LONE_PX * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** What is not of good quality is marked on the plot's ground, also where no line can be. */
export function drawMarks(self: uPlot, { main }: Parts): void {
  const { doubts, bucketMs } = main.window;
  if (doubts.size === 0) return;
  const { ctx, bbox } = self;
  const { warn, bad } = palette.peek();
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const [slot, quality] of doubts) {
    const left = self.valToPos(slot / 1000, "x", true);
    const right = self.valToPos((slot + bucketMs) / 1000, "x", true);
    const height = MARK_PX[quality] * devicePixelRatio;
    ctx.fillStyle = quality === "bad" ? bad : warn;
    ctx.fillRect(left, bbox.top + bbox.height - height, Math.max(1, right - left), height);
  }
  ctx.restore();
}
