import { palette } from "./theme.ts";

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
  pen.fillText(heading, 12 * scale, 22 * scale);
  pen.drawImage(canvas, 0, HEAD_PX * scale);
  picture.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
}

/** More raw samples than this are exported as the buckets that the chart shows. */
const RAW_AT_MOST = 20_000;

/** The address of what a chart shows as CSV: its samples, or where there are too many its buckets. */
export function csvUrl(
  metric: { device: string; name: string; intervalMs: number | null },
  fromMs: number,
  toMs: number,
  points: number,
): string {
  const query = new URLSearchParams({
    ...{ device: metric.device, metric: metric.name, format: "csv" },
    ...{ from: String(Math.floor(fromMs)), to: String(Math.ceil(toMs)) },
  });
  const samples = (toMs - fromMs) / (metric.intervalMs ?? 1000);
  if (samples > RAW_AT_MOST) query.set("points", String(points));
  return `/api/v1/samples?${query}`;
}
