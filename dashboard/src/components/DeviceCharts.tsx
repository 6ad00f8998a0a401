import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Comparisons } from "../state/compare.ts";
import { Crosshair } from "../state/crosshair.ts";
import type { DeviceState } from "../state/device.ts";
import type { View } from "../state/view.ts";
import { MetricChart } from "./MetricChart.tsx";

/** A chart for each metric of a device, all of one span and under one crosshair. */
export function DeviceCharts({ device, view }: { device: DeviceState; view: Signal<View> }) {
  const comparisons = useMemo(() => new Comparisons(localStorage), []);
  const crosshair = useMemo(() => new Crosshair(), []);
  return (
    <>
      <div class="charts">
        {device.metrics.value.map((metric) => (
          <MetricChart
            key={metric.name}
            device={device}
            metric={metric}
            view={view}
            comparisons={comparisons}
            crosshair={crosshair}
          />
        ))}
      </div>
      <p class="hidden" role="status" data-crosshair>
        {crosshair.said}
      </p>
    </>
  );
}
