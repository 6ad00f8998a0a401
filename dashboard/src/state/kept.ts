import { effect } from "@preact/signals";
import type { Hub } from "./hub.ts";
import type { Memory } from "./memory.ts";
import { Past } from "./past.ts";

const EVERY_MS = 30_000;
/** After the devices came there are first values, too. */
const FIRST_MS = 1000;
/** A link that has not brought the devices by then is bad enough to show what was there before. */
const PATIENCE_MS = 1500;

/** Keep what is seen while the hub speaks; show what was seen before where it does not. Runs as long as the page. */
export function rememberHub(hub: Hub, memory: Memory): void {
  const past = new Past(memory, () => hub.hubNow());
  hub.backfill.past = past;
  // The small charts of an overview are many: they are kept when they are left, not while they move.
  const keep = (sparks: boolean) => {
    const seen = hub.seen();
    if (seen !== null) memory.keep(seen, past.changed(hub.metrics(), sparks));
  };
  const leave = () => hub.live.peek() && keep(true);
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
    if (hub.loaded.value === "ready" && hub.keptFrom.value === null)
      setTimeout(keep, FIRST_MS, false);
  });
  effect(() => {
    const session = hub.session.value;
    if (session !== null) void memory.belongTo(session.name);
  });
  // What is there when the hub is lost may be the last for long.
  effect(() => {
    if (["reconnecting", "stale"].includes(hub.status.value.state)) keep(true);
  });
  effect(() => {
    if (hub.status.value.state === "signed_out") void memory.forget();
  });
  setTimeout(() => void recall(), PATIENCE_MS);
  // What a page kept when it was left may have been too much.
  void memory.prune();
  setInterval(() => {
    if (document.hidden || !hub.live.peek()) return;
    keep(false);
    void memory.prune();
  }, EVERY_MS);
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden && leave());
}
