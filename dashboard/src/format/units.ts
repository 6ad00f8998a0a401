import { type ReadonlySignal, signal } from "@preact/signals";

/** What a viewer may ask to see in other units than the device sends; stored and sent values stay as they are. */
export const UNIT_CHOICES = {
  temperature: ["sent", "°C", "°F", "K"],
  pressure: ["sent", "hPa", "kPa", "inHg", "mmHg"],
  speed: ["sent", "m/s", "km/h", "mph", "kn"],
  length: ["sent", "metric", "imperial"],
} as const;

export type Quantity = keyof typeof UNIT_CHOICES;
export type UnitChoices = { [Q in Quantity]: (typeof UNIT_CHOICES)[Q][number] };
export const QUANTITIES = Object.keys(UNIT_CHOICES) as Quantity[];

export const AS_SENT: UnitChoices = {
  temperature: "sent",
  pressure: "sent",
  speed: "sent",
  length: "sent",
};

/** Of each unit its quantity, and how it becomes the quantity's SI unit: times `by`, plus `add`. */
const KNOWN: Record<string, { quantity: Quantity; by: number; add?: number }> = {
  "°C": { quantity: "temperature", by: 1 },
  C: { quantity: "temperature", by: 1 },
  degC: { quantity: "temperature", by: 1 },
  "°F": { quantity: "temperature", by: 5 / 9, add: -160 / 9 },
  degF: { quantity: "temperature", by: 5 / 9, add: -160 / 9 },
  K: { quantity: "temperature", by: 1, add: -273.15 },
  Pa: { quantity: "pressure", by: 0.01 },
  hPa: { quantity: "pressure", by: 1 },
  mbar: { quantity: "pressure", by: 1 },
  kPa: { quantity: "pressure", by: 10 },
  bar: { quantity: "pressure", by: 1000 },
  // NIST SP 811, appendix B.8: conventional inches and millimetres of mercury, pounds-force per square inch.
  mmHg: { quantity: "pressure", by: 1.333224 },
  inHg: { quantity: "pressure", by: 33.86389 },
  psi: { quantity: "pressure", by: 68.94757 },
  "m/s": { quantity: "speed", by: 1 },
  "km/h": { quantity: "speed", by: 1 / 3.6 },
  mph: { quantity: "speed", by: 0.44704 },
  kn: { quantity: "speed", by: 1852 / 3600 },
  kt: { quantity: "speed", by: 1852 / 3600 },
  "ft/s": { quantity: "speed", by: 0.3048 },
  mm: { quantity: "length", by: 0.001 },
  cm: { quantity: "length", by: 0.01 },
  m: { quantity: "length", by: 1 },
  km: { quantity: "length", by: 1000 },
  in: { quantity: "length", by: 0.0254 },
  ft: { quantity: "length", by: 0.3048 },
  mi: { quantity: "length", by: 1609.344 },
};

/** Lengths go to a unit of about their own size: rain in inches, not in miles. */
const LENGTHS: Record<string, Record<string, string>> = {
  imperial: { mm: "in", cm: "in", m: "ft", km: "mi" },
  metric: { in: "mm", ft: "m", mi: "km" },
};

/** How what a device sends in one unit is shown in another: times `by`, plus `add`. */
export interface Conversion {
  unit: string;
  by: number;
  add: number;
}

/** What this browser shows; follows the preferences. */
const chosen = signal<UnitChoices>(AS_SENT);
let known = new Map<string, Conversion>();

/** Start to follow the viewer's choice; call once. */
export function followUnits(choices: ReadonlySignal<UnitChoices>): void {
  choices.subscribe((next) => {
    known = new Map();
    chosen.value = next;
  });
}

/** How values in `unit` are shown here; a component that asks is drawn anew when the viewer chooses otherwise. */
export function shownAs(unit: string): Conversion {
  const choices = chosen.value;
  let found = known.get(unit);
  if (found === undefined) {
    found = conversion(unit, choices);
    known.set(unit, found);
  }
  return found;
}

/** How a device's unit is shown under some choices. Pure. */
export function conversion(unit: string, choices: UnitChoices): Conversion {
  const same = { unit, by: 1, add: 0 };
  const from = KNOWN[unit];
  if (from === undefined) return same;
  const choice = choices[from.quantity];
  const wanted = from.quantity === "length" ? LENGTHS[choice]?.[unit] : choice;
  const to = wanted === undefined ? undefined : KNOWN[wanted];
  if (wanted === undefined || to === undefined) return same;
  const by = from.by / to.by;
  const add = ((from.add ?? 0) - (to.add ?? 0)) / to.by;
  return by === 1 && add === 0 ? same : { unit: wanted, by, add };
}

/** A unit as people write it, where boards lack the sign. */
export const spelt = (unit: string): string =>
  /^(deg)?[CF]$/.test(unit) ? `°${unit.at(-1)}` : unit;

export const isSame = (to: Conversion): boolean => to.by === 1 && to.add === 0;

/** A device's value as it is shown. */
export const converted = (value: number, to: Conversion): number => value * to.by + to.add;

/** A shown value as the device counts it; without the noise that binary fractions add. */
export const sentBack = (value: number, to: Conversion): number =>
  Number(((value - to.add) / to.by).toPrecision(12));

/** Decimals that lose nothing of what the device's own decimals told apart. */
export function decimalsAs(decimals: number | null, to: Conversion): number | null {
  if (decimals === null || to.by === 1) return decimals;
  return Math.min(8, Math.max(0, decimals + Math.ceil(-Math.log10(to.by))));
}
