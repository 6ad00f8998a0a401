const DAY_MS = 86_400_000;

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const minuteFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const monthFormat = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });
const fullFormat = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
  hourCycle: "h23",
});

/** `14:03:22` in the viewer's zone. */
export const clock = (ms: number): string => clockFormat.format(ms);

/** `14:03:22.418`. */
export function clockMs(ms: number): string {
  return `${clockFormat.format(ms)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}`;
}

/** The clock, with the day before it when it is not within a day of `nowMs`. */
export function moment(ms: number, nowMs: number): string {
  return Math.abs(nowMs - ms) < DAY_MS / 2
    ? clock(ms)
    : `${dayFormat.format(ms)} ${minuteFormat.format(ms)}`;
}

/** Date and time in full, for titles and hover. */
export const full = (ms: number): string => fullFormat.format(ms);

/** A chart's tick: seconds, minutes, hours or days, as fine as its step needs. */
export function tick(ms: number, stepMs: number): string {
  if (stepMs < 60_000) return clock(ms);
  if (stepMs < DAY_MS) {
    const text = minuteFormat.format(ms);
    return text === minuteFormat.format(localMidnight(ms)) ? weekdayFormat.format(ms) : text;
  }
  return stepMs < 28 * DAY_MS ? dayFormat.format(ms) : monthFormat.format(ms);
}

function localMidnight(ms: number): number {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}
