import { computed } from "@preact/signals";
import { text } from "../text/catalogue.ts";
import { locale } from "./locale.ts";
import { hubZone, offsetMs, shownZone } from "./zone.ts";

const DAY_MS = 86_400_000;

/** Formats are dear to make: once for each zone that is shown. */
const formats = computed(() => formatsIn(shownZone()));
const hubFormat = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      timeZone: hubZone.value,
      hourCycle: "h23",
      year: "numeric",
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "short",
    }),
);

function formatsIn(timeZone: string) {
  const make = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale.value, { ...options, timeZone });
  const minute = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return {
    timeZone,
    clock: make({ ...minute, second: "2-digit" }),
    minute: make(minute),
    day: make({ day: "numeric", month: "short" }),
    month: make({ month: "short", year: "numeric" }),
    weekday: make({ weekday: "short", day: "numeric" }),
    full: make({ dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }),
  };
}

/** `14:03:22` in the zone that is shown. */
export const clock = (ms: number): string => formats.value.clock.format(ms);

/** `14:03:22.418`. */
export function clockMs(ms: number): string {
  return `${clock(ms)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}`;
}

/** The clock, with the day before it when it is not within a day of `nowMs`. */
export function moment(ms: number, nowMs: number): string {
  if (Math.abs(nowMs - ms) < DAY_MS / 2) return clock(ms);
  const { day, minute } = formats.value;
  return `${day.format(ms)} ${minute.format(ms)}`;
}

/** Date and time in full. */
export const full = (ms: number): string => formats.value.full.format(ms);

/** For what is shown on hover: date and time in full, and what the hub's own clock said then. */
export const hover = (ms: number): string => text.time.hover(full(ms), hubFormat.value.format(ms));

/** A chart's tick: seconds, minutes, hours or days, as fine as its step needs. */
export function tick(ms: number, stepMs: number): string {
  const { minute, day, month, weekday, timeZone } = formats.value;
  if (stepMs < 60_000) return clock(ms);
  if (stepMs < DAY_MS) {
    const midnight = (Math.round(ms) + offsetMs(ms, timeZone)) % DAY_MS === 0;
    return midnight ? weekday.format(ms) : minute.format(ms);
  }
  return stepMs < 28 * DAY_MS ? day.format(ms) : month.format(ms);
}
