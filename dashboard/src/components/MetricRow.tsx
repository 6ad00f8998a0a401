import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Chart } from "../charts/Chart.tsx";
import { title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Freshness, MetricState } from "../state/metric.ts";
import { text } from "../text/en.ts";
import { FreshNote, Readout, useFreshness } from "./Readout.tsx";

/** One line of an instrument panel: name, the last five minutes, the value now. */
export function MetricRow({ device, metric }: { device: DeviceState; metric: MetricState }) {
  const fresh = useFreshness(device, metric);
  const meta = metric.meta.value;
  return (
    <li class={`metric ${meta.kind}`} data-metric={meta.name} data-fresh={fresh}>
      <span class="name" title={`${title(meta)} (${meta.name})`}>
        {title(meta)}
      </span>
      <span class="trace">
        {meta.kind !== "text" && <Spark metric={metric} fresh={() => fresh.peek()} />}
        <FreshNote device={device} metric={metric} />
      </span>
      <Readout device={device} metric={metric} />
    </li>
  );
}

function Spark({ metric, fresh }: { metric: MetricState; fresh: () => Freshness }) {
  const hub = useHub();
  const { feed, fresh: first } = metric.spark();
  useEffect(() => {
    if (first) hub.backfill.open(metric, feed);
  }, [metric]);
  const label = useComputed(() => sparkLabel(metric));
  return (
    <Chart hub={hub} metric={metric} feed={feed} freshness={fresh} spark label={label.value} />
  );
}

/** Without the value: it stands beside the chart, and would change the label ten times a second. */
function sparkLabel(metric: MetricState): string {
  const meta = metric.meta.value;
  return `${title(meta)}, ${text.chart.ranges.spoken[300000]}`;
}
