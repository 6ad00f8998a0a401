import type { StoreInfo } from "../api/types.ts";
import { count, size } from "../state/retention.ts";
import { bytesEach, storeItems } from "../state/store.ts";
import { storeText as words } from "../text/catalogue.ts";
import { DeviceLink } from "./DeviceLink.tsx";
import { Figures } from "./Figures.tsx";

/** What the store writes, what that means for a card, and which device takes how much. */
export function StoreWear({ info }: { info: StoreInfo }) {
  return (
    <section class="panel scroll" aria-labelledby="store-wear">
      <header>
        <h2 id="store-wear">{words.title}</h2>
      </header>
      <Figures items={storeItems(info)} />
      {info.devices.length === 0 ? (
        <p class="dim pad">{words.empty}</p>
      ) : (
        <Devices devices={info.devices} />
      )}
      <p class="dim pad">{words.note}</p>
    </section>
  );
}

function Devices({ devices }: Pick<StoreInfo, "devices">) {
  const names = words.columns;
  return (
    <table class="matrix">
      <thead>
        <tr>
          <th scope="col">{names.device}</th>
          {[names.samples, names.bytes, names.each].map((name) => (
            <th key={name} scope="col" class="right">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {devices.map((one) => {
          const each = bytesEach(one.bytes / one.samples);
          return (
            <tr key={one.device}>
              <th scope="row">
                <DeviceLink id={one.device} />
              </th>
              <td class="digits right">{count(one.samples)}</td>
              <td class="digits right">{size(one.bytes)}</td>
              <td class="digits right">
                {each.value} {each.unit}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
