import { effect, type Signal, signal } from "@preact/signals";
import {
  AS_SENT,
  QUANTITIES,
  type Quantity,
  UNIT_CHOICES,
  type UnitChoices,
} from "../format/units.ts";
import { ZONES, type ZoneChoice } from "../format/zone.ts";
import { LANGUAGE_CHOICES, type LanguageChoice } from "../text/language.ts";
import { keep, recalled, type Shelf } from "./chosen.ts";

export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEY = "outpost.preferences";

/** How this browser shows things; kept in `storage`, where what is not understood is left out. */
export class Preferences {
  readonly theme: Signal<Theme>;
  /** Acts when the page is loaded next. */
  readonly language: Signal<LanguageChoice>;
  readonly zone: Signal<ZoneChoice>;
  readonly units: Signal<UnitChoices>;

  constructor(storage: Shelf) {
    const kept = recalled(storage, KEY);
    this.theme = signal(one(THEMES, kept["theme"]));
    this.language = signal(one(LANGUAGE_CHOICES, kept["language"]));
    this.zone = signal(one(ZONES, kept["zone"]));
    this.units = signal(unitsOf(kept["units"]));
    let first = true;
    effect(() => {
      const chosen = {
        theme: this.theme.value,
        language: this.language.value,
        zone: this.zone.value,
        units: this.units.value,
      };
      // A page that starts writes nothing: it would wait for the browser's disk.
      if (first) {
        first = false;
        return;
      }
      keep(storage, KEY, chosen);
    });
  }
}

function one<Choice extends string>(choices: readonly Choice[], kept: unknown): Choice {
  return choices.find((choice) => choice === kept) ?? (choices[0] as Choice);
}

function unitsOf(kept: unknown): UnitChoices {
  const said = typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  const found: Record<Quantity, string> = { ...AS_SENT };
  for (const quantity of QUANTITIES) {
    found[quantity] = one<string>(UNIT_CHOICES[quantity], said[quantity]);
  }
  return found as UnitChoices;
}
