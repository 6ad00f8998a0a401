/** One line of a Prometheus exposition: labels and a value. */
export interface Series {
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The text format (Prometheus, exposition formats) by metric name. Lines that do not fit are left out. */
export function parseExposition(text: string): Map<string, Series[]> {
  const all = new Map<string, Series[]>();
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    const found = LINE.exec(line);
    if (!found?.[1] || !found[3]) continue;
    const labels: Record<string, string> = {};
    for (const [, key = "", raw = ""] of (found[2] ?? "").matchAll(LABEL)) {
      labels[key] = raw.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    }
    const series = all.get(found[1]) ?? [];
    series.push({ labels, value: Number(found[3].replace("Inf", "Infinity")) });
    all.set(found[1], series);
  }
  return all;
}

/** The sum over all label values; null where the metric is not there. */
export function total(all: Map<string, Series[]>, name: string): number | null {
  const series = all.get(name);
  return series ? series.reduce((sum, { value }) => sum + value, 0) : null;
}

/** An upper bound of a histogram's quantile: the first bucket that holds it. Null before any observation. */
export function quantileBound(all: Map<string, Series[]>, name: string, q: number): number | null {
  const buckets = (all.get(`${name}_bucket`) ?? [])
    .map(({ labels, value }) => ({
      le: Number((labels["le"] ?? "").replace("+Inf", "Infinity")),
      value,
    }))
    .sort((a, b) => a.le - b.le);
  const count = buckets.at(-1)?.value ?? 0;
  if (count === 0) return null;
  return buckets.find(({ value }) => value >= q * count)?.le ?? null;
}
