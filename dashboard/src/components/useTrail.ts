import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CommandRecord } from "../api/types.ts";
import { useHub } from "../state/context.ts";
import { joined, mergeNews } from "../state/trail.ts";

/** After news of a command that is new here: by then the trail has it. */
const SETTLE_MS = 300;

export interface TrailState {
  /** Newest first; null before the first answer. */
  records: Signal<CommandRecord[] | null>;
  /** Where older ones go on, null where there are none. */
  next: Signal<string | null>;
  /** Why the trail could not be read; empty where it could. */
  failed: Signal<string>;
  load: (cursor: string | null) => Promise<void>;
}

/** The audit trail, of one device where one is given; states change as they are reached. */
export function useTrail(limit: number, device?: string): TrailState {
  const hub = useHub();
  const records = useSignal<CommandRecord[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal("");
  const load = async (cursor: string | null) => {
    try {
      const page = await hub.client.commands({ cursor, limit, ...(device && { device }) });
      // A renewed first page keeps the older ones that were asked for.
      const first = cursor === null && records.peek() === null;
      records.value = joined(records.peek() ?? [], page.items);
      if (first || cursor !== null) next.value = page.next;
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  useEffect(() => {
    void load(null);
    return hub.commandNews.subscribe((news) => {
      if (news === null || records.peek() === null) return;
      if (device !== undefined && news.device !== device) return;
      const merged = mergeNews(records.peek() ?? [], news);
      records.value = merged.records;
      // The stream does not tell who asked, and with what: the trail does.
      if (merged.isNew) setTimeout(() => void load(null), SETTLE_MS);
    });
  }, [device]);
  return { records, next, failed, load };
}
