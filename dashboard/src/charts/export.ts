import type { SeriesWindow } from "../state/window.ts";
import { palette } from "./theme.ts";
import { union } from "./traces.ts";

const HEAD_PX = 34;

/** Offer a chart's canvas as a PNG, on the page's ground and under a heading. */
export function savePng(canvas: HTMLCanvasElement, heading: string, name: string): void {
  const scale = devicePixelRatio;
  const { ground, ink, font } = palette.peek();
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height + HEAD_PX * scale;
  const pen = picture.getContext("2d");
  if (!pen) return;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.fillStyle = ink;
  pen.font = `600 ${13 * scale}px ${font.replace(/^\S+ /, "")}`;
  pen.fillText(heading, 12 * scale, 22 * scale, picture.width - 24 * scale);
  pen.drawImage(canvas, 0, HEAD_PX * scale);
  picture.toBlob((blob) => blob && saveFile(blob, name));
}

/** Offer bytes as a file. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** More raw samples than this are exported as the buckets that the chart shows. */
const RAW_AT_MOST = 20_000;

/** The address of what a chart shows of metrics (DEVICE/METRIC) as CSV: samples, or where they are too many buckets. */
export function csvUrl(
  keys: string[],
  intervalMs: number | null,
  fromMs: number,
  toMs: number,
  points: number,
): string {
  const query = new URLSearchParams(keys.map((key) => ["metric", key]));
  query.set("format", "csv");
  query.set("from", String(Math.floor(fromMs)));
  query.set("to", String(Math.ceil(toMs)));
  const samples = (toMs - fromMs) / (intervalMs ?? 1000);
  if (samples > RAW_AT_MOST) query.set("points", String(points));
  return `/api/v1/samples?${query}`;
}

/** What a chart shows of a metric and of the same earlier: a row a bucket, times in UTC ms, empty where there is none. */
export function csvOf(
  window: SeriesWindow,
  earlier: SeriesWindow,
  shiftMs: number,
  fromMs: number,
  toMs: number,
): string {
  const [one, other] = [window.buckets(), earlier.buckets()];
  const later = other.map(([time]) => {
    return Math.floor((time + shiftMs) / window.bucketMs) * window.bucketMs;
  });
  const { times, first, others } = union(
    one.map(([time]) => time),
    later,
  );
  const lines = ["time,min,max,mean,earlier_time,earlier_min,earlier_max,earlier_mean"];
  times.forEach((time, at) => {
    if (time < fromMs - window.bucketMs || time > toMs) return;
    const [, min = "", max = "", mean = ""] = one[first[at] ?? -1] ?? [];
    const [was = "", low = "", high = "", middle = ""] = other[others[at] ?? -1] ?? [];
    lines.push([time, min, max, mean, was, low, high, middle].join());
  });
  return `${lines.join("\r\n")}\r\n`;
}
