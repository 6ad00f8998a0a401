import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Rows that one frame can take in without being felt. */
const PER_FRAME = 8;

/** How many of `total` rows are on screen so far: a page fills over frames, not in one long task. */
export function useStaged(total: number): number {
  const shown = useSignal(PER_FRAME);
  const count = shown.value;
  useEffect(() => {
    if (count >= total) return;
    const frame = requestAnimationFrame(() => {
      shown.value = count + PER_FRAME;
    });
    return () => cancelAnimationFrame(frame);
  }, [count, total]);
  return Math.min(count, total);
}
