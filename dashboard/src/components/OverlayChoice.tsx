import { title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import { type Overlay, PICKS_LIMIT } from "../state/overlay.ts";
import { text } from "../text/catalogue.ts";

const words = text.camera.overlay;

/** Which metrics are shown on the picture; every device with its metrics. */
export function OverlayChoice({ overlay }: { overlay: Overlay }) {
  const devices = [...useHub().devices.value.values()].filter(
    (device) => device.metrics.value.length > 0,
  );
  const count = overlay.picks.value.length;
  const full = count >= PICKS_LIMIT;
  return (
    <details class="panel overlay-choice">
      <summary>
        {words.title}
        <span class="dim digits"> {count > 0 && words.count(count)}</span>
      </summary>
      <p class="dim">{full ? words.full(PICKS_LIMIT) : words.lead}</p>
      {devices.length === 0 && <p class="dim">{words.none}</p>}
      {devices.map((device) => (
        <fieldset key={device.id}>
          <legend>{device.info.value.name || device.id}</legend>
          {device.metrics.value.map((metric) => {
            const { name } = metric.meta.value;
            const chosen = overlay.has(device.id, name);
            return (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={chosen}
                  disabled={full && !chosen}
                  onChange={() => overlay.toggle(device.id, name)}
                />
                {title(metric.meta.value)}
              </label>
            );
          })}
        </fieldset>
      ))}
    </details>
  );
}
