import type uPlot from "uplot";
import type { Metric } from "../api/types.ts";
import { byteScale, decimalsForStep, durationLabels, fixed, isLong } from "../format/number.ts";
import { tick } from "../format/time.ts";
import { converted, sentBack, shownAs } from "../format/units.ts";
import { offsetMs, shownZone } from "../format/zone.ts";
import { text as words } from "../text/catalogue.ts";
import {
  durationStep,
  niceRange,
  niceStep,
  niceTicks,
  timeStep,
  timeTicks,
  valueRange,
} from "./scale.ts";
import { palette } from "./theme.ts";

const AXIS_WIDTH = 52;
const AXIS_HEIGHT = 22;
const TICK_PX = 84;
const CUT_PX = 12;
const RANGE_STEPS = 3;

const grid = (): uPlot.Axis.Grid => ({ stroke: () => palette.peek().grid, width: 1 });

export function timeAxis(): uPlot.Axis {
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
    values: (self, splits) => {
      const { min, max } = self.scales["x"] ?? {};
      const pxPerS = (self.width - AXIS_WIDTH) / ((max ?? 1) - (min ?? 0));
      // A label that would not fit at the right is left out rather than cut off.
      return splits.map((s) =>
        ((max ?? 0) - s) * pxPerS < CUT_PX ? "" : tick(s * 1000, step(self)),
      );
    },
  };
}

/** The axis of a metric on `scale`; the second one stands at the right, in its trace's colour. */
export function valueAxis(metric: Metric, scale: "y" | "y2"): uPlot.Axis {
  const second = scale === "y2";
  const axis: uPlot.Axis = {
    scale,
    side: second ? 1 : 3,
    size: AXIS_WIDTH,
    font: palette.peek().font,
    stroke: () => (second ? palette.peek().second : palette.peek().label),
    grid: second ? { show: false } : grid(),
    ticks: { show: false },
    gap: 6,
  };
  if (metric.kind === "boolean") {
    return { ...axis, splits: () => [0, 1], values: () => [words.command.no, words.command.yes] };
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
      const [low, high] = [converted(min, to), converted(max, to)];
      return niceTicks(low, high, count, stepsOf(metric.unit, high)).map((at) => sentBack(at, to));
    },
    // Without samples a scale would be made up.
    values: (self, splits) =>
      self.data[0].length > 0 ? valueLabels(splits, metric.unit) : splits.map(() => ""),
  };
}

export function valueScale(metric: Metric): uPlot.Range.Function {
  return (_self, min, max) => {
    if (min === null || max === null) return [0, 1];
    return valueRange(metric, min, max, (low, high) => niceAs(metric.unit, low, high));
  };
}

/** A range on whole steps of the unit that is shown, in the unit that is sent. */
function niceAs(unit: string, low: number, high: number): [number, number] {
  const to = shownAs(unit);
  const most = converted(high, to);
  const [from, upTo] = niceRange(converted(low, to), most, RANGE_STEPS, stepsOf(unit, most));
  return [sentBack(from, to), sentBack(upTo, to)];
}

/** Long durations run in minutes, hours and days; all else by tens. */
const stepsOf = (unit: string, most: number) => (isLong(unit, most) ? durationStep : niceStep);

/** Labels of one axis: all in the same unit, with the same digits. */
export function valueLabels(sent: number[], sentUnit: string): string[] {
  const to = shownAs(sentUnit);
  const { unit } = to;
  const splits = sent.map((at) => converted(at, to));
  const size = Math.max(...splits.map(Math.abs), 0);
  if (isLong(unit, size)) return durationLabels(splits);
  const scale = byteScale(unit, size) ?? { by: 1, unit: "" };
  const step = splits.length > 1 ? ((splits[1] ?? 0) - (splits[0] ?? 0)) / scale.by : 1;
  const decimals = decimalsForStep(step);
  return splits.map((split) => {
    const text = fixed(split / scale.by, decimals);
    return scale.unit ? `${text} ${scale.unit}` : text;
  });
}
