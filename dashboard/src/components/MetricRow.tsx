import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { SparkSheet } from "../charts/sheet.ts";
import { title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Freshness, MetricState } from "../state/metric.ts";
import { text } from "../text/catalogue.ts";
import { FreshNote, Readout, useFreshness } from "./Readout.tsx";

/** The rows of an overview come over several frames, and share calls for their history. */
const PATIENCE_MS = 400;

interface Props {
  device: DeviceState;
  metric: MetricState;
  /** Where the small charts of the panel's rows are drawn. */
  sheet: SparkSheet;
}

/** One line of an instrument panel: name, the last five minutes, the value now. */
export function MetricRow({ device, metric, sheet }: Props) {
  const fresh = useFreshness(device, metric);
  const meta = metric.meta.value;
  return (
    <li class={`metric ${meta.kind}`} data-metric={meta.name} data-fresh={fresh}>
      <span class="name" title={`${title(meta)} (${meta.name})`}>
        {title(meta)}
      </span>
      <span class="trace">
        {meta.kind !== "text" && <Spark metric={metric} sheet={sheet} fresh={() => fresh.peek()} />}
        <FreshNote fresh={fresh} metric={metric} />
      </span>
      <Readout fresh={fresh} metric={metric} />
    </li>
  );
}

interface SparkProps {
  metric: MetricState;
  sheet: SparkSheet;
  fresh: () => Freshness;
}

function Spark({ metric, sheet, fresh }: SparkProps) {
  const hub = useHub();
  const place = useRef<HTMLSpanElement>(null);
  const { feed, fresh: first } = metric.spark();
  useEffect(() => {
    if (first) hub.backfill.open(metric, feed, PATIENCE_MS);
    const at = place.current;
    return at ? sheet.add({ at, metric, feed, freshness: fresh }) : undefined;
  }, [metric, sheet]);
  const label = useComputed(() => sparkLabel(metric));
  return <span ref={place} class="spark" role="img" aria-label={label} />;
}

/** Without the value: it stands beside the chart, and would change the label ten times a second. */
function sparkLabel(metric: MetricState): string {
  const meta = metric.meta.value;
  return `${title(meta)}, ${text.chart.ranges.spoken[300000]}`;
}
