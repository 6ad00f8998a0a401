import { useSignal } from "@preact/signals";
import type { Compared } from "../charts/Chart.tsx";
import { csvOf, csvUrl, saveFile, savePng } from "../charts/export.ts";
import { title } from "../format/value.ts";
import { type Comparison, comparisonOf, EARLIER_MS, written } from "../state/compare.ts";
import { useHub } from "../state/context.ts";
import type { Feed, MetricState } from "../state/metric.ts";
import type { View } from "../state/view.ts";
import { text, chartText as words } from "../text/catalogue.ts";

interface CompareProps {
  metric: MetricState;
  chosen: Comparison | null;
  onChoose: (comparison: Comparison | null) => void;
}

/** What a chart can be compared with: itself earlier, or any other metric of any device. */
export function CompareChoice({ metric, chosen, onChoose }: CompareProps) {
  // A page of charts would carry every metric once for each; who reaches for the choice gets it.
  const open = useSignal(false);
  const show = () => {
    open.value = true;
  };
  const value = written(chosen);
  return (
    <select
      class="quiet"
      aria-label={words.compare.label(title(metric.meta.value))}
      data-on={value !== ""}
      value={value}
      onPointerEnter={show}
      onPointerDown={show}
      onFocus={show}
      onChange={(event) => onChoose(comparisonOf(event.currentTarget.value))}
    >
      <option value="">{chosen === null ? words.compare.none : words.compare.stop}</option>
      {open.value ? (
        <Choices metric={metric} />
      ) : (
        chosen && <option value={value}>{words.compare.none}</option>
      )}
    </select>
  );
}

function Choices({ metric }: { metric: MetricState }) {
  const hub = useHub();
  return (
    <>
      <optgroup label={words.compare.same}>
        {EARLIER_MS.map((earlierMs) => (
          <option key={earlierMs} value={written({ earlierMs })}>
            {words.compare.earlier[earlierMs]}
          </option>
        ))}
      </optgroup>
      {[...hub.devices.value.values()].map((device) => {
        const others = device.metrics.value.filter(
          (other) => other !== metric && other.meta.value.kind !== "text",
        );
        return others.length === 0 ? null : (
          <optgroup key={device.id} label={device.info.value.name || device.id}>
            {others.map((other) => (
              <option key={other.key} value={written({ key: other.key })}>
                {title(other.meta.value)}
              </option>
            ))}
          </optgroup>
        );
      })}
    </>
  );
}

interface ExportProps {
  box: { current: HTMLElement | null };
  metric: MetricState;
  feed: Feed;
  second: Compared | null;
  view: View;
  /** What the chart shows, in words. */
  heading: () => string;
  now: () => number;
}

/** What is seen, as CSV and as a picture. */
export function Export({ box, metric, feed, second, view, heading, now }: ExportProps) {
  const { name, interval_ms: intervalMs } = metric.meta.value;
  const file = `${metric.device}-${name}`.replace(/[^\w.-]+/g, "_");
  const shiftMs = second?.shiftMs ?? 0;
  const span = () => {
    const to = view.until ?? now();
    return { from: to - view.spanMs, to };
  };
  const url = () => {
    const { from, to } = span();
    const points = Math.ceil(view.spanMs / view.bucketMs);
    const keys = second ? [metric.key, second.metric.key] : [metric.key];
    return csvUrl(keys, intervalMs, from, to, points);
  };
  return (
    <>
      <a
        href={url()}
        download={`${file}.csv`}
        title={text.chart.csv}
        onClick={(event) => {
          if (second === null || shiftMs === 0) {
            event.currentTarget.href = url();
            return;
          }
          // Two times side by side are no question that the hub answers: the chart's own buckets.
          event.preventDefault();
          const { from, to } = span();
          const rows = csvOf(feed.window, second.feed.window, shiftMs, from, to);
          saveFile(new Blob([rows], { type: "text/csv" }), `${file}.csv`);
        }}
      >
        CSV
      </a>
      <button
        type="button"
        class="quiet"
        title={text.chart.png}
        onClick={() => {
          const canvas = box.current?.querySelector("canvas");
          if (canvas) savePng(canvas, heading(), `${file}.png`);
        }}
      >
        PNG
      </button>
    </>
  );
}
