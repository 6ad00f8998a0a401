import { computed, type ReadonlySignal, signal } from "@preact/signals";

/** The zones that times may be shown in. */
export const ZONES = ["viewer", "hub", "utc"] as const;
export type ZoneChoice = (typeof ZONES)[number];

/** Where the hub is: an IANA name, as it says. */
export const hubZone = signal("UTC");
const choice = signal<ZoneChoice>("viewer");
/** Where the viewer is. When it is first asked for: a page's first use of dates costs it 15 ms and more. */
export const viewerZone = computed(() => new Intl.DateTimeFormat().resolvedOptions().timeZone);

/** Start to follow the viewer's choice; call once. */
export function followZone(zone: ReadonlySignal<ZoneChoice>): void {
  zone.subscribe((next) => {
    choice.value = next;
  });
}

/** The zone that times are shown in: an IANA name. */
export function shownZone(): string {
  const chosen = choice.value;
  if (chosen === "utc") return "UTC";
  return chosen === "hub" ? hubZone.value : viewerZone.value;
}

/** A zone that this browser knows; UTC where it does not. */
export function knownZone(name: string): string {
  try {
    return new Intl.DateTimeFormat(undefined, { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

const parts = new Map<string, Intl.DateTimeFormat>();

/** Local minus UTC of a zone at a time, in ms. */
export function offsetMs(ms: number, zone: string): number {
  if (zone === "UTC") return 0;
  let format = parts.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-u-ca-iso8601", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    parts.set(zone, format);
  }
  const at: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(ms)) at[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = at;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** What `<input type="datetime-local">` holds for a time, in the zone that is shown. */
export function toInput(ms: number, zone = shownZone()): string {
  return new Date(ms + offsetMs(ms, zone)).toISOString().slice(0, 19);
}

/** The time that such an input's text means; NaN for what is none. In the hour that a clock repeats, the first. */
export function fromInput(text: string, zone = shownZone()): number {
  const local = Date.parse(`${text}Z`);
  if (Number.isNaN(local)) return local;
  const before = local - offsetMs(local - 86_400_000, zone);
  // The offset of the day before holds, or the one that has come since.
  return offsetMs(before, zone) === offsetMs(local - 86_400_000, zone)
    ? before
    : local - offsetMs(local + 86_400_000, zone);
}
