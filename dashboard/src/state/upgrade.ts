import { effect, type ReadonlySignal, type Signal } from "@preact/signals";

/** The script that a page is made of: its name says which build it is. */
export const scriptOf = (html: string): string | null =>
  /<script[^>]+src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? null;

/** After the hub started anew, ask whether it has another dashboard than the one that runs here. */
export function watchUpgrade(
  epoch: ReadonlySignal<string | null>,
  ours: string | null,
  fetchPage: () => Promise<string>,
  upgraded: Signal<boolean>,
): void {
  let before: string | null = null;
  effect(() => {
    const now = epoch.value;
    const restarted = before !== null && now !== null && now !== before;
    before = now ?? before;
    if (!restarted || ours === null) return;
    fetchPage().then(
      (html) => {
        const theirs = scriptOf(html);
        if (theirs !== null && theirs !== ours) upgraded.value = true;
      },
      () => {
        // It went away again; its next start is another epoch.
      },
    );
  });
}
