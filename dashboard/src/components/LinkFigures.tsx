import { figure } from "../format/figure.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { text } from "../text/catalogue.ts";
import { Figures } from "./Figures.tsx";
import { LinkHistory } from "./LinkHistory.tsx";
import { LinkVerdict } from "./LinkVerdict.tsx";
import { usePolled } from "./usePolled.ts";

const EVERY_MS = 2000;

/** What is wrong with the device's link, if anything, with its figures; renewed while they are looked at. */
export function LinkFigures({ device }: { device: DeviceState }) {
  const hub = useHub();
  const { found: link, failed } = usePolled(() => hub.client.link(device.id), EVERY_MS, device);
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
