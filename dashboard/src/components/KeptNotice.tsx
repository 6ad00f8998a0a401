import { useComputed } from "@preact/signals";
import { age } from "../format/number.ts";
import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import { keptText as text } from "../text/catalogue.ts";

/** That what is on screen is not from the hub but from this browser, and how old it is. */
export function KeptNotice() {
  const hub = useHub();
  const from = hub.keptFrom.value;
  // In minutes: who hears it read aloud is not told every second.
  const minute = useComputed(() => Math.floor(hub.now.value / 60_000));
  if (from === null) return null;
  const now = Math.max(from, minute.value * 60_000);
  return (
    <p class="banner kept" role="status" title={hover(from)}>
      <b>{text.title}</b> {text.text(moment(from, now))}{" "}
      {now - from >= 60_000 && text.ago(age(now - from))} {text.again}
    </p>
  );
}
