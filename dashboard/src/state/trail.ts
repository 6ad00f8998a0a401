import type { CommandRecord } from "../api/types.ts";

/** Put a state change into the trail: onto its record, or as a new one on top. Older states never win. */
export function mergeNews(
  records: readonly CommandRecord[],
  news: CommandRecord,
): { records: CommandRecord[]; isNew: boolean } {
  const at = records.findIndex((record) => record.id === news.id);
  const known = records[at];
  if (known === undefined) {
    return { records: [{ created_time: news.time, ...news }, ...records], isNew: true };
  }
  // Progress that comes late by another way opens nothing again that has ended.
  const ended =
    !["queued", "sent"].includes(known.state) && ["queued", "sent"].includes(news.state);
  if (known.time > news.time || ended) return { records: [...records], isNew: false };
  const merged = [...records];
  merged[at] = { ...known, ...news };
  return { records: merged, isNew: false };
}

/** Records with a page of them, fetched now: each once, as fetched where it is in both, newest first. */
export function joined(
  records: readonly CommandRecord[],
  page: readonly CommandRecord[],
): CommandRecord[] {
  const all = new Map([...records, ...page].map((record) => [record.id, record]));
  return [...all.values()].sort((a, b) => createdAt(b) - createdAt(a));
}

const createdAt = (record: CommandRecord): number => record.created_time ?? record.time;
