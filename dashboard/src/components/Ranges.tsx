import { text } from "../text/en.ts";

/** Spans of the device page's charts and the buckets they are drawn in (ms): 500 to 900 buckets a chart. */
export const RANGES = [
  { spanMs: 60_000, bucketMs: 100 },
  { spanMs: 300_000, bucketMs: 500 },
  { spanMs: 900_000, bucketMs: 1000 },
  { spanMs: 3_600_000, bucketMs: 5000 },
  { spanMs: 21_600_000, bucketMs: 30_000 },
  { spanMs: 86_400_000, bucketMs: 120_000 },
  { spanMs: 604_800_000, bucketMs: 900_000 },
] as const;

export type Range = (typeof RANGES)[number];

interface Props {
  value: Range;
  onChange: (range: Range) => void;
}

export function Ranges({ value, onChange }: Props) {
  return (
    <fieldset class="ranges">
      <legend class="hidden">{text.chart.ranges.label}</legend>
      <span class="choices">
        {RANGES.map((range) => (
          <label key={range.spanMs}>
            <input
              type="radio"
              name="range"
              checked={range === value}
              onChange={() => onChange(range)}
            />
            <span>{text.chart.ranges.names[range.spanMs]}</span>
          </label>
        ))}
      </span>
    </fieldset>
  );
}
