import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useHub } from "../state/context.ts";
import { alertText } from "../text/catalogue.ts";

/** How many alerts wait to be seen, beside the word in the navigation. */
export function AlertBadge() {
  const hub = useHub();
  const count = hub.alerts.list.value.length;
  if (count === 0) return null;
  const unseen = hub.alerts.unseen.value;
  return (
    <span class="badge" data-unseen={unseen > 0}>
      <span aria-hidden="true">{count}</span>
      <span class="hidden">{alertText.active(count)}</span>
    </span>
  );
}

/** Reads a new alert out, whatever page is shown. */
export function AlertVoice() {
  const hub = useHub();
  const words = useSignal("");
  useEffect(
    () =>
      hub.alerts.news.subscribe((news) => {
        if (news !== null && news.cleared_time === null && news.acknowledged_time === null) {
          words.value = alertText.announce(news.title, news.text);
        }
      }),
    [],
  );
  return (
    <p class="hidden" role="status" aria-live="assertive">
      {words}
    </p>
  );
}
