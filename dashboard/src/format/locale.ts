import { signal } from "@preact/signals";

/** How numbers and dates are written: a BCP 47 tag; undefined is the browser's own. Set before anything is shown. */
export const locale = signal<string | undefined>(undefined);
