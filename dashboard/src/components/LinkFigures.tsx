import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { LinkInfo } from "../api/types.ts";
import { figure } from "../format/figure.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { text } from "../text/en.ts";
import { Figures } from "./Figures.tsx";
import { LinkHistory } from "./LinkHistory.tsx";
import { LinkVerdict } from "./LinkVerdict.tsx";

const EVERY_MS = 2000;

/** What is wrong with the device's link, if anything, with its figures; renewed while they are looked at. */
export function LinkFigures({ device }: { device: DeviceState }) {
  const hub = useHub();
  const link = useSignal<LinkInfo | null>(null);
  const failed = useSignal("");
  useEffect(() => {
    const load = async () => {
      try {
        link.value = await hub.client.link(device.id);
        failed.value = "";
      } catch (error) {
        failed.value = error instanceof Error ? error.message : String(error);
      }
    };
    void load();
    const timer = setInterval(() => document.hidden || void load(), EVERY_MS);
    return () => clearInterval(timer);
  }, [device]);
  const entries = Object.entries(link.value?.figures ?? {});
  return (
    <section class="panel" aria-labelledby="link">
      <header>
        <h2 id="link">{text.link.title}</h2>
        {link.value?.link_name && <span class="dim mono">{link.value.link_name}</span>}
      </header>
      {link.value && !failed.value && (entries.length > 0 || !device.info.value.online) && (
        <LinkVerdict link={link.value} />
      )}
      {failed.value ? (
        <p class="bad pad">{text.link.failed(failed.value)}</p>
      ) : entries.length === 0 ? (
        <p class="dim pad">{text.link.empty}</p>
      ) : (
        <Figures items={entries.map(([name, value]) => figure(name, value))} />
      )}
      {entries.length > 0 && <LinkHistory device={device.id} />}
    </section>
  );
}
