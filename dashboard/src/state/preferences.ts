import { effect, type Signal, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
type Kept = Pick<Storage, "getItem" | "setItem">;

export const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEY = "outpost.preferences";

/** How this browser shows things; kept in `storage`, where what is not understood is left out. */
export class Preferences {
  readonly theme: Signal<Theme>;

  constructor(storage: Kept) {
    const kept = read(storage);
    this.theme = signal(one(THEMES, kept["theme"]));
    effect(() => {
      const chosen = { theme: this.theme.value };
      try {
        storage.setItem(KEY, JSON.stringify(chosen));
      } catch {
        // A browser that keeps nothing follows the choice until the page is closed.
      }
    });
  }
}

function one<Choice extends string>(choices: readonly Choice[], kept: unknown): Choice {
  return choices.find((choice) => choice === kept) ?? (choices[0] as Choice);
}

function read(storage: Kept): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
