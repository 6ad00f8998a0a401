import { effect } from "@preact/signals";
import type { Hub } from "./hub.ts";
import type { Memory } from "./memory.ts";

const EVERY_MS = 30_000;
/** After the devices came there are first values, too. */
const FIRST_MS = 1000;
/** A link that has not brought the devices by then is bad enough to show what was there before. */
const PATIENCE_MS = 1500;

/** Keep what is seen while the hub speaks; show what was seen before where it does not. Runs as long as the page. */
export function rememberHub(hub: Hub, memory: Memory): void {
  const keep = () => {
    const seen = hub.live.peek() ? hub.seen() : null;
    if (seen !== null) memory.keep(seen);
  };
  const recall = async () => {
    // A hub that answers with an error says more than what was.
    const answered = hub.loaded.peek() !== "loading" && !hub.unreached.peek();
    if (answered || hub.status.peek().state === "signed_out") return;
    const seen = await memory.recall();
    if (seen !== null) hub.recall(seen);
  };
  effect(() => {
    if (hub.unreached.value) void recall();
  });
  effect(() => {
    if (hub.loaded.value === "ready" && hub.keptFrom.value === null) setTimeout(keep, FIRST_MS);
  });
  effect(() => {
    if (hub.status.value.state === "signed_out") void memory.forget();
  });
  setTimeout(() => void recall(), PATIENCE_MS);
  setInterval(() => document.hidden || keep(), EVERY_MS);
  addEventListener("pagehide", keep);
  document.addEventListener("visibilitychange", () => document.hidden && keep());
}
