import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alertsApi } from "../api/alerts.ts";
import type { CommandRecord } from "../api/types.ts";
import { useHub } from "../state/context.ts";
import { alertText, text } from "../text/catalogue.ts";

/** A command that the device has: how far it is where it tells, and the way to have it given up. */
export function Pending({ device, command }: { device: string; command: string }) {
  const hub = useHub();
  const news = useSignal<CommandRecord | null>(null);
  const asked = useSignal(false);
  useEffect(
    () =>
      hub.commandNews.subscribe((told) => {
        if (told?.device === device && told.command === command) news.value = told;
      }),
    [],
  );
  const progress = useComputed(() => news.value?.progress ?? null);
  const told = progress.value;
  if (told === null) return <span class="pending">{text.command.sending}</span>;
  const giveUp = () => {
    asked.value = true;
    const id = news.peek()?.id;
    if (id !== undefined)
      void alertsApi(hub.client)
        .cancel(id)
        .catch(() => {});
  };
  return (
    <>
      <span class="pending">{told.text || text.command.sending}</span>
      {told.percent !== null && (
        <progress max={100} value={told.percent} aria-label={text.command.sending} />
      )}
      {asked.value ? (
        <span class="dim">{alertText.progress.asked}</span>
      ) : (
        <button type="button" onClick={giveUp}>
          {alertText.progress.cancel}
        </button>
      )}
    </>
  );
}
