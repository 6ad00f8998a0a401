import type { StoreInfo } from "../api/types.ts";
import type { Figure } from "../components/Figures.tsx";
import { fixed, NO_VALUE } from "../format/number.ts";
import { storeText as words } from "../text/catalogue.ts";
import { count, size } from "./retention.ts";

const SHORT_YEARS = 2;
const SLOW_MS = 1000;

/** What the store writes, how fast, and what that means for a card. */
export function storeItems(info: StoreInfo): Figure[] {
  const years = info.card_years;
  const slowest = info.commit_p99_ms;
  return [
    { title: words.file, value: size(info.file_bytes) },
    {
      title: words.written,
      value: info.written_bytes_per_day === null ? words.early : size(info.written_bytes_per_day),
    },
    {
      title: words.life,
      value: years === null ? words.early : lasts(years),
      ...(years !== null && years < SHORT_YEARS && { tone: "warn" as const }),
    },
    {
      title: words.compression,
      value: info.compression === null ? NO_VALUE : `${fixed(info.compression, 0)} ×`,
    },
    { title: words.perSample, ...bytesEach(info.sealed_bytes_per_sample) },
    { title: words.commits, ...milliseconds(info.commit_p50_ms) },
    {
      title: words.slowest,
      ...milliseconds(slowest),
      ...(slowest !== null && slowest > SLOW_MS && { tone: "warn" as const }),
    },
    { title: words.waiting, value: count(info.queue_readings) },
  ];
}

/** `0.63 B`. */
export function bytesEach(bytes: number | null): { value: string; unit?: string } {
  return bytes === null ? { value: NO_VALUE } : { value: fixed(bytes, 2), unit: "B" };
}

function lasts(years: number): string {
  if (years >= 100) return words.years("> 100");
  return words.years(fixed(years, years < 10 ? 1 : 0));
}

function milliseconds(value: number | null): { value: string; unit?: string } {
  return value === null ? { value: NO_VALUE } : { value: fixed(value, 1), unit: "ms" };
}
