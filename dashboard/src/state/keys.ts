/** Where `g` and a letter lead. */
const PLACES: Record<string, string> = {
  o: "/",
  c: "/commands",
  a: "/alerts",
  h: "/health",
  s: "/settings",
  w: "/wall",
};
const SOON_MS = 1500;

export interface Press {
  key: string;
  /** Whether it is typed into something, or comes with Ctrl, Alt or Meta. */
  taken: boolean;
  atMs: number;
}

/** What keys mean, one after the other: `g` waits a moment for its letter. */
export class Keys {
  private since = Number.NEGATIVE_INFINITY;

  /** What a key asks for; null: nothing. */
  press({ key, taken, atMs }: Press): { go: string } | "help" | null {
    const waiting = atMs - this.since < SOON_MS;
    this.since = Number.NEGATIVE_INFINITY;
    if (taken) return null;
    if (key === "?") return "help";
    if (waiting) {
      const place = PLACES[key];
      return place === undefined ? null : { go: place };
    }
    if (key === "g") this.since = atMs;
    return null;
  }
}

/**
 * Whether a key that goes to `target` is its own business.
 * A dialog that was closed keeps the focus until the next frame, and has no business any more.
 */
export const isTyped = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("input:not([type=radio]), textarea, select, dialog[open]") !== null;
