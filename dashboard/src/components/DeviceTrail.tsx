import type { DeviceState } from "../state/device.ts";
import { text } from "../text/catalogue.ts";
import { CommandTrail } from "./CommandTrail.tsx";
import { useTrail } from "./useTrail.ts";

const SHOWN = 10;

/** What a device was told last, by whom, and what became of it. */
export function DeviceTrail({ device }: { device: DeviceState }) {
  const { records, failed, load } = useTrail(SHOWN, device.id);
  const last = records.value?.slice(0, SHOWN) ?? null;
  const words = text.commands;
  return (
    <section class="panel history" aria-labelledby="history">
      <header>
        <h2 id="history">{words.last}</h2>
        <a href="/commands">{words.all}</a>
      </header>
      {failed.value && (
        <p class="bad pad" role="alert">
          {words.failedTitle}: {failed.value}{" "}
          <button type="button" class="small" onClick={() => void load(null)}>
            {words.retry}
          </button>
        </p>
      )}
      {last === null && !failed.value && <p class="dim pad">{words.loading}</p>}
      {last?.length === 0 && <p class="dim pad">{words.none}</p>}
      {last !== null && last.length > 0 && <CommandTrail records={last} ofOne />}
    </section>
  );
}
