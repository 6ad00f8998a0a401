import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { SparkSheet } from "../charts/sheet.ts";
import { age } from "../format/number.ts";
import { hover } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { MetricState } from "../state/metric.ts";
import { deviceUrl } from "../state/router.ts";
import { text } from "../text/catalogue.ts";
import { MetricRow } from "./MetricRow.tsx";

interface Props {
  device: DeviceState;
  /** Those that are looked for. */
  metrics: MetricState[];
  rows: number;
  /** Move the device with this id by so many places, or to where another device is. */
  onMove: (id: string, to: number | string) => void;
}

const KEYS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const DRAGGED = "application/x-outpost-device";

/** A device on the overview: who it is, how it is, and a line for each metric, so far the first `rows`. */
export function DevicePanel({ device, metrics, rows, onMove }: Props) {
  const info = device.info.value;
  const id = `device-${info.id}`;
  return (
    <section
      class="panel device"
      style={{ "--rows": metrics.length }}
      data-online={info.online}
      data-device={info.id}
      aria-labelledby={id}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes(DRAGGED)) event.preventDefault();
      }}
      onDrop={(event) => {
        const moving = event.dataTransfer?.getData(DRAGGED);
        if (!moving) return;
        event.preventDefault();
        onMove(moving, info.id);
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: by keyboard its link does the same */}
      <header
        draggable
        title={text.overview.tools.arrange}
        onDragStart={(event) => event.dataTransfer?.setData(DRAGGED, info.id)}
      >
        <h2 id={id}>
          <a
            href={deviceUrl(info.id)}
            draggable={false}
            aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight"
            onKeyDown={(event) => {
              const by = event.altKey ? KEYS[event.key] : undefined;
              if (by === undefined) return;
              event.preventDefault();
              onMove(info.id, by);
              const link = event.currentTarget;
              requestAnimationFrame(() => link.focus());
            }}
          >
            {info.name || info.id}
          </a>
        </h2>
        <Presence device={device} />
      </header>
      {device.metrics.value.length === 0 ? (
        <p class="dim pad">{text.device.noMetrics}</p>
      ) : (
        <Rows device={device} metrics={metrics.slice(0, rows)} />
      )}
    </section>
  );
}

function Rows({ device, metrics }: Pick<Props, "device" | "metrics">) {
  const hub = useHub();
  const rows = useRef<HTMLUListElement>(null);
  const drawing = useRef<SVGSVGElement>(null);
  const sheet = useMemo(() => new SparkSheet(hub), [hub]);
  useEffect(() => {
    const [on, over] = [drawing.current, rows.current];
    return on && over ? sheet.mount(on, over) : undefined;
  }, [sheet]);
  return (
    <div class="rows">
      <svg ref={drawing} class="sheet" aria-hidden="true" />
      <ul ref={rows} class="metrics">
        {metrics.map((metric) => (
          <MetricRow key={metric.name} device={device} metric={metric} sheet={sheet} />
        ))}
      </ul>
    </div>
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
    <span class="state off" title={`${info.reason ?? ""} ${hover(info.last_seen)}`}>
      <span class="dot" aria-hidden="true" />
      {text.device.offline}, {seen}
    </span>
  );
}
