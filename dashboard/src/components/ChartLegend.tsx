import { type ReadonlySignal, useComputed } from "@preact/signals";
import type { Compared } from "../charts/Chart.tsx";
import { NO_VALUE } from "../format/number.ts";
import { moment } from "../format/time.ts";
import { shown, title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { Hub } from "../state/hub.ts";
import type { Feed, MetricState } from "../state/metric.ts";
import { doubtsIn, pointedAt } from "../state/pointed.ts";
import { text, chartText as words } from "../text/catalogue.ts";

interface Props {
  metric: MetricState;
  feed: Feed;
  second: Compared | null;
  cursor: ReadonlySignal<number | null>;
  onStop: () => void;
}

/** What the chart's other lines and marks mean. It lies over the plot, so that nothing moves when it comes. */
export function Legend({ feed, second, cursor, onStop }: Props) {
  const hub = useHub();
  const now = hub.now.value;
  const until = feed.until ?? now;
  const doubts = doubtsIn(feed.window, until - feed.window.spanMs, until);
  if (second === null && doubts.size === 0) return null;
  return (
    <ul class="legend" aria-label={words.legend.label}>
      {second && (
        <li data-line="second">
          <span>{comparedTitle(hub, second)}</span> <Value second={second} cursor={cursor} />
          <button type="button" class="quiet" aria-label={words.compare.stop} onClick={onStop}>
            ×
          </button>
        </li>
      )}
      {(["uncertain", "bad"] as const).map(
        (doubt) =>
          doubts.has(doubt) && (
            <li key={doubt} data-line={doubt}>
              <span>{words.legend[doubt]}</span>
            </li>
          ),
      )}
    </ul>
  );
}

/** The compared trace's value under the crosshair, else its value now. */
function Value({ second, cursor }: Pick<Props, "cursor"> & { second: Compared }) {
  const hub = useHub();
  const { metric, feed, shiftMs } = second;
  const at = cursor.value ?? hub.now.value;
  const parts = useComputed(() => shown(metric.meta.value, metric.last.value?.value));
  const past = pointedAt(feed.window, metric.meta.value, at - shiftMs);
  const one = cursor.value === null && shiftMs === 0 ? parts.value : past;
  const when = past && shiftMs > 0 ? moment(past.time, hub.now.value) : undefined;
  return (
    <b class="digits" title={when}>
      {one ? `${one.text} ${one.unit}`.trim() : NO_VALUE}
    </b>
  );
}

/** What a chart is compared with, in words. */
export function comparedTitle(hub: Hub, { metric, shiftMs }: Compared): string {
  if (shiftMs > 0) return words.compare.earlier[shiftMs] ?? text.chart.at(String(shiftMs));
  const device = hub.devices.value.get(metric.device)?.info.value;
  return `${device?.name || metric.device} · ${title(metric.meta.value)}`;
}
