import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CommandResult, FirmwareOffer } from "../api/types.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { firmwareText as words } from "../text/catalogue.ts";
import { Pending } from "./Pending.tsx";

const UNDER_WAY = ["queued", "sent"];

/** The firmware of a board beside what the hub has: its update, how far it is, how it ended. */
export function FirmwarePanel({ device }: { device: DeviceState }) {
  const hub = useHub();
  const offer = useSignal<FirmwareOffer | null>(null);
  const unread = useSignal("");
  const running = useSignal(false);
  const outcome = useSignal<{ good: boolean; text: string } | null>(null);
  const info = device.info.value;
  const path = `devices/${encodeURIComponent(info.id)}`;

  useEffect(() => {
    if (info.link !== "serial") return;
    hub.client.get<FirmwareOffer>(`${path}/firmware`).then(
      (found) => {
        offer.value = found;
        unread.value = "";
      },
      (error) => {
        unread.value = reason(error);
      },
    );
  }, [info.id, info.firmware]);
  useEffect(
    () =>
      hub.commandNews.subscribe((news) => {
        if (news?.device !== info.id || news.command !== "update") return;
        running.value = UNDER_WAY.includes(news.state);
        if (!running.value) outcome.value = ended(news);
      }),
    [info.id],
  );
  if (info.link !== "serial") return null;

  const update = async () => {
    running.value = true;
    outcome.value = null;
    try {
      outcome.value = ended(await hub.client.change<CommandResult>("POST", `${path}/update`, {}));
    } catch (error) {
      outcome.value = { good: false, text: words.failed(reason(error)) };
    }
    running.value = false;
  };
  const there = offer.value;
  const may = hub.session.value?.role === "admin" && info.online;
  return (
    <section class="panel firmware" aria-labelledby="firmware">
      <header>
        <h2 id="firmware">{words.title}</h2>
      </header>
      <div class="pad">
        {unread.value && <p class="bad">{words.unread(unread.value)}</p>}
        {there !== null && <p class="dim">{state(there)}</p>}
        <p class="outcome">
          {running.value && <Pending device={info.id} command="update" />}
          {there?.newer &&
            !running.value &&
            (may ? (
              <button type="button" onClick={() => void update()}>
                {words.update(there.version)}
              </button>
            ) : (
              <span class="dim">{info.online ? words.viewer : words.offline}</span>
            ))}
          <span aria-live="polite">
            {!running.value && outcome.value !== null && (
              <span class={outcome.value.good ? "" : "bad"}>{outcome.value.text}</span>
            )}
          </span>
        </p>
      </div>
    </section>
  );
}

function state(offer: FirmwareOffer): string {
  if (!offer.possible) return offer.reason;
  if (offer.newer) return `${words.newer(offer.version)} ${words.promise}`;
  const same = offer.firmware.split(" ")[0] === offer.version;
  return same ? words.newest(offer.version) : words.ahead(offer.version);
}

function ended(result: CommandResult): { good: boolean; text: string } {
  if (result.state === "succeeded") {
    const runs = (result.result as { firmware?: string } | null)?.firmware ?? "";
    return { good: true, text: words.done(runs) };
  }
  return { good: false, text: words.failed(result.error ?? result.state) };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
