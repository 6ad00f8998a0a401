import { useComputed } from "@preact/signals";
import { age } from "../format/number.ts";
import { full } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { deviceUrl } from "../state/router.ts";
import { text } from "../text/en.ts";
import { MetricRow } from "./MetricRow.tsx";

/** A device on the overview: who it is, how it is, and a line for each metric. */
export function DevicePanel({ device }: { device: DeviceState }) {
  const info = device.info.value;
  const id = `device-${info.id}`;
  return (
    <section
      class="panel device"
      style={{ "--rows": device.metrics.value.length }}
      data-online={info.online}
      data-device={info.id}
      aria-labelledby={id}
    >
      <header>
        <h2 id={id}>
          <a href={deviceUrl(info.id)}>{info.name || info.id}</a>
        </h2>
        <Presence device={device} />
      </header>
      {device.metrics.value.length === 0 ? (
        <p class="dim pad">{text.device.noMetrics}</p>
      ) : (
        <ul class="metrics">
          {device.metrics.value.map((metric) => (
            <MetricRow key={metric.name} device={device} metric={metric} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Online with its link, or offline with its reason and since when. */
export function Presence({ device }: { device: DeviceState }) {
  const hub = useHub();
  const info = device.info.value;
  const seen = useComputed(() =>
    info.last_seen > 0
      ? text.device.lastSeen(age(hub.now.value - device.info.value.last_seen))
      : text.device.neverSeen,
  );
  if (info.online) {
    return (
      <span class="state ok">
        <span class="dot" aria-hidden="true" />
        {text.device.links[info.link] ?? info.link}
        <span class="hidden">, {text.device.online}</span>
      </span>
    );
  }
  return (
    <span class="state off" title={`${info.reason ?? ""} ${full(info.last_seen)}`}>
      <span class="dot" aria-hidden="true" />
      {text.device.offline}, {seen}
    </span>
  );
}
