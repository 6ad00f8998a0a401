import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export interface Polled<Found> {
  /** The last answer; null before the first. */
  found: Signal<Found | null>;
  /** Why there is no newer one, "" where there is. */
  failed: Signal<string>;
  /** Ask at once. */
  again: () => void;
}

/** What the hub is asked for at once and then every so often while somebody looks; anew for another `key`. */
export function usePolled<Found>(
  ask: () => Promise<Found>,
  everyMs: number,
  key: unknown,
): Polled<Found> {
  const found = useSignal<Found | null>(null);
  const failed = useSignal("");
  const again = async () => {
    try {
      found.value = await ask();
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  useEffect(() => {
    void again();
    const timer = setInterval(() => document.hidden || void again(), everyMs);
    return () => clearInterval(timer);
  }, [key]);
  return { found, failed, again: () => void again() };
}
