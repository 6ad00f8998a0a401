/** Where a browser keeps what was chosen in it, as a rule its `localStorage`. */
export type Shelf = Pick<Storage, "getItem" | "setItem">;

/** What was chosen, by name; nothing where none was, or where what is there is not understood. */
export function recalled(shelf: Shelf, key: string): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(shelf.getItem(key) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Keep what was chosen; a browser that keeps nothing (full, or private) goes by it until the page is closed. */
export function keep(shelf: Shelf, key: string, chosen: Record<string, unknown>): void {
  try {
    shelf.setItem(key, JSON.stringify(chosen));
  } catch {
    // See above.
  }
}
