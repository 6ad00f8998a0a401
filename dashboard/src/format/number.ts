import { locale } from "./locale.ts";

/** A value split for display: the unit stands apart, smaller. `sign` keeps columns of digits in line. */
export interface Shown {
  text: string;
  unit: string;
}

const MINUS = "\u2212";
const THIN = "\u202f";
export const NO_VALUE = "\u2013";

const BINARY_NAMES = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const LONG_S = 600;

const formats = new Map<number, Intl.NumberFormat>();
locale.subscribe(() => formats.clear());

/** A number with exactly `decimals` digits after the point, grouped as the viewer's language does, with a true minus. */
export function fixed(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(locale.peek(), {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: "min2",
    } as Intl.NumberFormatOptions);
    formats.set(decimals, format);
  }
  // A value that rounds to nothing has no sign.
  const text = format.format(value);
  return /[1-9]/.test(text) ? text.replace("-", MINUS) : text.replace("-", "");
}

/** Digits after the point for about four significant digits; 0 for whole numbers. */
export function decimalsFor(value: number): number {
  if (Number.isInteger(value)) return 0;
  const size = Math.abs(value);
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  if (size >= 1) return 2;
  return size >= 0.01 ? 3 : 5;
}

/** Digits after the point that tell apart values `step` apart (a chart's ticks). */
export function decimalsForStep(step: number): number {
  if (!(step > 0)) return 0;
  return Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** A number in its unit: bytes scaled to kB, MB, …, long durations in hours and days, the rest as it is. */
export function quantity(value: number, unit: string, decimals: number | null): Shown {
  if (!Number.isFinite(value)) return { text: String(value), unit };
  const scale = byteScale(unit, value);
  if (scale) {
    const scaled = value / scale.by;
    return { text: fixed(scaled, scale.by === 1 ? 0 : digits3(scaled)), unit: scale.unit };
  }
  if (isLong(unit, value)) {
    const [, text = "", last = ""] = /^(.*)\u202f(\S+)$/.exec(longDuration(value)) ?? [];
    return { text, unit: last };
  }
  return { text: fixed(value, decimals ?? decimalsFor(value)), unit: unitText(unit) };
}

/** Whether a value is told in minutes, hours and days. */
export const isLong = (unit: string, value: number): boolean =>
  unit === "s" && Math.abs(value) >= LONG_S;

/** Of an axis of long durations (s) its labels, in what its step needs: `3 d`, `3 d 04 h`, `14 h`, `14:02 h`, `32:20`. */
export function durationLabels(values: readonly number[]): string[] {
  const step = values.length > 1 ? Math.abs((values[1] ?? 0) - (values[0] ?? 0)) : 1;
  const most = Math.max(...values.map(Math.abs), 0);
  return values.map((value) => {
    const sign = value < 0 ? MINUS : "";
    return sign + durationLabel(Math.round(Math.abs(value)), step, most);
  });
}

function durationLabel(seconds: number, step: number, most: number): string {
  const [d, h, min] = [seconds / 86_400, seconds / 3600, seconds / 60].map(Math.floor) as Three;
  if (step % 86_400 === 0) return `${d}${THIN}d`;
  if (step % 3600 === 0)
    return most < 172_800 ? `${h}${THIN}h` : `${d}${THIN}d ${two(h % 24)}${THIN}h`;
  if (step % 60 !== 0) {
    const tail = `${two(min % 60)}:${two(seconds % 60)}`;
    return most < 3600 ? `${min}:${two(seconds % 60)}` : `${h}:${tail}`;
  }
  return most < 7200 ? `${min}${THIN}min` : `${h}:${two(min % 60)}${THIN}h`;
}

type Three = [number, number, number];
const two = (count: number): string => String(count).padStart(2, "0");

/** By what a chart in `unit` that reaches up to `size` divides its values, and what it calls the result. */
export function byteScale(unit: string, size: number): { by: number; unit: string } | null {
  const per = unit.endsWith("/s") ? "/s" : "";
  const base = per ? unit.slice(0, -2) : unit;
  const first = ["B", "kB", "MB", "GB"].indexOf(base === "bytes" ? "B" : base);
  if (first < 0) return null;
  let at = first;
  let by = 1;
  while (Math.abs(size) / by >= 1000 && at < BINARY_NAMES.length - 1) {
    by *= 1000;
    at++;
  }
  return { by, unit: `${BINARY_NAMES[at]}${per}` };
}

function digits3(value: number): number {
  const size = Math.abs(value);
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

/** `C` and `degC` are how boards without a degree sign say °C. */
export function unitText(unit: string): string {
  const known: Record<string, string> = {
    C: "°C",
    degC: "°C",
    degF: "°F",
    deg: "°",
    "m/s2": "m/s²",
    m2: "m²",
    m3: "m³",
    uV: "µV",
    uA: "µA",
    us: "µs",
    Ohm: "Ω",
    ohm: "Ω",
  };
  return known[unit] ?? unit;
}

/** `3 d 04 h`, `2 h 05 min`, `12 min 30 s`: two parts, the second padded so that it does not jump. */
export function longDuration(seconds: number): string {
  const sign = seconds < 0 ? MINUS : "";
  const whole = Math.round(Math.abs(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = Math.max(
    0,
    parts.findIndex(([count]) => count > 0),
  );
  const [big, small] = [parts[Math.min(first, 2)], parts[Math.min(first, 2) + 1]];
  if (!big || !small) return "";
  return `${sign}${big[0]}${THIN}${big[1]} ${String(small[0]).padStart(2, "0")}${THIN}${small[1]}`;
}

/** Without a value that changes width: `4 s`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}${THIN}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min`;
  if (s < 2 * 86400) return `${Math.floor(s / 3600)}${THIN}h`;
  return `${Math.floor(s / 86400)}${THIN}d`;
}
