import { signal } from "@preact/signals";

/** The colours that canvases need, from the same custom properties as everything else. */
export interface Palette {
  trace: string;
  band: string;
  faded: string;
  fadedBand: string;
  grid: string;
  label: string;
  font: string;
}

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    trace: get("--trace"),
    band: get("--band"),
    faded: get("--faded"),
    fadedBand: get("--faded-band"),
    grid: get("--grid"),
    label: get("--dim"),
    font: `${Math.round(11 * remScale(style))}px ${get("--font")}`,
  };
}

function remScale(style: CSSStyleDeclaration): number {
  return Number.parseFloat(style.fontSize) / 15 || 1;
}

/** Follows the system's light or dark. */
export const palette = signal<Palette>({
  trace: "#888",
  band: "#8884",
  faded: "#888",
  fadedBand: "#8884",
  grid: "#8883",
  label: "#888",
  font: "11px sans-serif",
});

/** Start to follow; call once, when the styles are there. */
export function followTheme(): void {
  palette.value = read();
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", () => {
      palette.value = read();
    });
  }
}
