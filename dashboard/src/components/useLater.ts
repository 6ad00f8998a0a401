import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export interface Lately<Code> {
  /** What was fetched; null until it is there. */
  code: Code | null;
  failed: Signal<boolean>;
  /** Try again. */
  ask: () => void;
}

/** Code that is fetched when it is first needed, anew for another `key`. */
export function useLater<Code>(load: () => Promise<Code>, key: string): Lately<Code> {
  const held: Signal<{ code: Code } | null> = useSignal(null);
  const failed = useSignal(false);
  const ask = () => {
    failed.value = false;
    load().then(
      (code) => {
        held.value = { code };
      },
      () => {
        failed.value = true;
      },
    );
  };
  useEffect(ask, [key]);
  return { code: held.value?.code ?? null, failed, ask };
}
