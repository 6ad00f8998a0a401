import { computed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Compared } from "../charts/Chart.tsx";
import { type Comparison, earlierView } from "../state/compare.ts";
import { useHub } from "../state/context.ts";
import type { Hub } from "../state/hub.ts";
import type { MetricState } from "../state/metric.ts";
import type { View } from "../state/view.ts";

/** The window that a chart is compared with, filled and following; null for none, or while it is not there. */
export function useCompared(
  metric: MetricState,
  view: View,
  comparison: Comparison | null,
): Compared | null {
  const hub = useHub();
  const other = comparison === null ? null : otherOf(hub, metric, comparison);
  const earlierMs = comparison !== null && "earlierMs" in comparison ? comparison.earlierMs : 0;
  // What moves on with a live view is fetched anew when it runs out, and not each second.
  const past = useMemo(
    () =>
      computed(() =>
        earlierMs === 0
          ? view.until
          : earlierView(view.until, view.spanMs, earlierMs, hub.now.value).until,
      ),
    [view, earlierMs],
  );
  const until = past.value;
  const compared = useMemo(() => {
    if (other === null) return null;
    const wide = earlierView(view.until, view.spanMs, earlierMs || 1, 0);
    const spanMs = earlierMs === 0 ? view.spanMs : wide.spanMs;
    return { metric: other, feed: other.feed(spanMs, view.bucketMs, until), shiftMs: earlierMs };
  }, [other, view, earlierMs, until]);
  useEffect(() => {
    if (compared === null) return;
    const { metric: of, feed } = compared;
    of.feeds.add(feed);
    hub.backfill.open(of, feed);
    return () => {
      of.feeds.delete(feed);
    };
  }, [compared]);
  return compared;
}

function otherOf(hub: Hub, metric: MetricState, comparison: Comparison): MetricState | null {
  if ("earlierMs" in comparison) return metric;
  for (const device of hub.devices.value.values()) {
    const found = device.metrics.value.find((one) => one.key === comparison.key);
    if (found) return found;
  }
  return null;
}
