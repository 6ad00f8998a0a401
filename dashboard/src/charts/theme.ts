import { type ReadonlySignal, signal } from "@preact/signals";
import type { Theme } from "../state/preferences.ts";

/** The colours that canvases need, from the same custom properties as everything else. */
export interface Palette {
  trace: string;
  band: string;
  faded: string;
  fadedBand: string;
  warn: string;
  bad: string;
  second: string;
  grid: string;
  label: string;
  ground: string;
  ink: string;
  font: string;
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  // One element for all: each that enters the page costs its styles anew.
  const probe = document.createElement("i");
  document.body.append(probe);
  const colour = (name: string) => colourOn(probe, name);
  const read = {
    trace: colour("--trace"),
    band: colour("--band"),
    faded: colour("--faded"),
    fadedBand: colour("--faded-band"),
    warn: colour("--warn"),
    bad: colour("--bad"),
    second: colour("--second"),
    grid: colour("--grid"),
    label: colour("--dim"),
    ground: colour("--panel"),
    ink: colour("--ink"),
    font: `${Math.round(11 * remScale(style))}px ${style.getPropertyValue("--font").trim()}`,
  };
  probe.remove();
  return read;
}

/** A canvas needs the colour itself: a property's own text still holds both, for light and for dark. */
function colourOn(probe: HTMLElement, name: string): string {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function remScale(style: CSSStyleDeclaration): number {
  return Number.parseFloat(style.fontSize) / 15 || 1;
}

/** Follows light or dark. */
export const palette = signal<Palette>({
  trace: "#888",
  band: "#8884",
  faded: "#888",
  fadedBand: "#8884",
  warn: "#888",
  bad: "#888",
  second: "#888",
  grid: "#8883",
  label: "#888",
  ground: "#888",
  ink: "#888",
  font: "11px sans-serif",
});

/** Start to follow the system and the viewer's own choice; call once, when the styles are there. */
export function followTheme(theme: ReadonlySignal<Theme>): void {
  const take = () => {
    palette.value = read();
  };
  theme.subscribe((chosen) => {
    const root = document.documentElement;
    if (chosen === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = chosen;
    take();
  });
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", take);
  }
}
