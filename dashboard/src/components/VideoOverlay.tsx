import { useComputed } from "@preact/signals";
import { clockMs } from "../format/time.ts";
import { shown, title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { Beside, Overlay } from "../state/overlay.ts";
import { text } from "../text/catalogue.ts";

/** Chosen values on the picture, each of the moment that the picture was taken. */
export function VideoOverlay({ overlay }: { overlay: Overlay }) {
  const hub = useHub();
  const when = useComputed(() =>
    overlay.time.value === null
      ? text.camera.overlay.newest
      : clockMs(Math.round(overlay.time.value)),
  );
  const several = useComputed(() => new Set(overlay.picks.value.map(([id]) => id)).size > 1);
  if (overlay.picks.value.length === 0) return null;
  const named = (beside: Beside) => {
    const device = hub.devices.value.get(beside.device);
    const meta = device?.metric(beside.metric)?.meta.value;
    const name = meta ? title(meta) : beside.metric;
    return {
      name: several.value ? `${device?.info.value.name ?? beside.device}: ${name}` : name,
      value: shown(meta ?? { kind: "text", unit: "", decimals: null }, beside.value),
    };
  };
  return (
    <dl class="overlay digits" data-rtp={overlay.rtp} data-time={overlay.time}>
      {overlay.shown.value.map((beside) => {
        const { name, value } = named(beside);
        return (
          <div
            key={`${beside.device}/${beside.metric}`}
            data-metric={`${beside.device}/${beside.metric}`}
            data-time={beside.time}
            data-quality={beside.quality}
          >
            <dt>{name}</dt>
            <dd>
              {value.text}
              {value.unit && <span class="unit"> {value.unit}</span>}
            </dd>
          </div>
        );
      })}
      <div class="when">
        <dt class="hidden">{text.camera.overlay.when}</dt>
        <dd>{when}</dd>
      </div>
    </dl>
  );
}
