import { type ReadonlySignal, useComputed } from "@preact/signals";
import { age } from "../format/number.ts";
import { hover as inFull } from "../format/time.ts";
import { shown } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Freshness, MetricState } from "../state/metric.ts";
import { text } from "../text/catalogue.ts";

/** One for a row: what reads it is told of every sample. */
export function useFreshness(device: DeviceState, metric: MetricState): ReadonlySignal<Freshness> {
  const hub = useHub();
  return useComputed(() => metric.freshness(hub.now.value, device.online.value, hub.heard.value));
}

interface Props {
  metric: MetricState;
  fresh: ReadonlySignal<Freshness>;
}

/** What has no more letters than this fits wherever a readout stands, and need not be cut off: that is dear. */
const SHORT = 7;

/** A value with its unit, and words where it is not fresh. Only its text nodes change as samples come. */
export function Readout({ metric, fresh }: Props) {
  const parts = useComputed(() => shown(metric.meta.value, metric.last.value?.value));
  const value = useComputed(() => parts.value.text);
  const unit = useComputed(() => parts.value.unit);
  const quality = useComputed(() => metric.last.value?.quality ?? "good");
  const on = useComputed(() => (metric.last.value?.value === true ? "yes" : undefined));
  const long = useComputed(() =>
    value.value.length + (quality.value === "good" ? 0 : 2) > SHORT ? "yes" : undefined,
  );
  // Made when somebody points at it: times in words are dear, and nobody reads 200 of them.
  const hover = () => {
    const last = metric.last.peek();
    if (last === null) return text.freshness.none;
    const words = last.quality === "good" ? "" : `, ${text.quality[last.quality]}`;
    return `${inFull(last.time)}${words}`;
  };
  const kind = metric.meta.value.kind;
  return (
    <span
      class={`readout ${kind}`}
      data-fresh={fresh}
      data-quality={quality}
      data-on={on}
      data-long={long}
      onPointerEnter={(event) => {
        event.currentTarget.title = hover();
      }}
    >
      <span class="value">{value}</span>
      <span class="unit">{unit}</span>
    </span>
  );
}

/** Why a value is not to be taken as the present one; empty where it is. */
export function FreshNote({ metric, fresh }: Props) {
  const hub = useHub();
  const note = useComputed(() => {
    const last = metric.last.value;
    if (last === null) return text.freshness.none;
    if (fresh.value === "stale" || fresh.value === "offline") {
      return text.freshness.ago(age(hub.now.value - last.time));
    }
    return last.quality === "bad" ? text.quality.bad : "";
  });
  return (
    <span class="note" data-fresh={fresh}>
      {note}
    </span>
  );
}

/** A value with its note before it, where no other part of the row needs to know how fresh it is. */
export function NotedReadout({ device, metric }: { device: DeviceState; metric: MetricState }) {
  const fresh = useFreshness(device, metric);
  return (
    <>
      <FreshNote metric={metric} fresh={fresh} />
      <Readout metric={metric} fresh={fresh} />
    </>
  );
}
