import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { CameraInfo } from "../api/types.ts";
import { CameraThumb } from "../components/CameraThumb.tsx";
import { DeviceGroup } from "../components/DeviceGroup.tsx";
import { DevicePanel } from "../components/DevicePanel.tsx";
import { Notice, Steps } from "../components/Notice.tsx";
import { PendingBoards } from "../components/PendingBoards.tsx";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import type { Hub } from "../state/hub.ts";
import {
  arranged,
  GROUPINGS,
  type Grouping,
  grouped,
  Layout,
  matching,
  moved,
} from "../state/layout.ts";
import type { MetricState } from "../state/metric.ts";
import { useStaged } from "../state/staged.ts";
import { text, groupText as words } from "../text/catalogue.ts";

/** Every device with its live values, and the cameras. On a wall nobody searches. */
export function Overview({ wall = false }: { wall?: boolean }) {
  const hub = useHub();
  const devices = [...hub.devices.value.values()];
  const cameras = hub.cameras.value;
  const layout = useMemo(() => new Layout(localStorage), []);
  const asked = useSignal("");
  const found = arranged(
    devices.flatMap((device) => {
      const rows = matching(device, asked.value);
      return rows === null ? [] : [{ id: device.id, device, rows }];
    }),
    layout.order.value,
  );
  const rowsInAll = found.reduce((sum, { rows }) => sum + rows.length, 0);
  const staged = useStaged(rowsInAll);
  // A wall is measured whole before it is painted.
  let left = wall ? rowsInAll : staged;
  const filled = found.map((item) => {
    const shown = Math.min(left, item.rows.length);
    left -= shown;
    return { ...item, shown };
  });
  const panel = ({ device, rows, shown }: Filled) => (
    <DevicePanel key={device.id} device={device} metrics={rows} rows={shown} onMove={move} />
  );
  const grouping = layout.grouping.value;
  const shownCameras = asked.value === "" ? cameras : [];
  const thumb = (camera: CameraInfo) => <CameraThumb key={camera.id} camera={camera} />;
  const move = (id: string, to: number | string) => {
    const ids = arranged(devices, layout.order.peek()).map((item) => item.id);
    layout.order.value = moved(
      ids,
      id,
      typeof to === "number" ? ids.indexOf(id) + to : ids.indexOf(to),
    );
  };
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{(wall && hub.info.value?.name) || text.overview.title}</h1>
        {devices.length > 0 && <Counts hub={hub} />}
        {devices.length > 0 && !wall && <Tools layout={layout} asked={asked} />}
      </header>
      {!wall && <PendingBoards />}
      {devices.length === 0 && <Nothing hub={hub} />}
      {devices.length > 0 && found.length === 0 && (
        <p class="dim pad" role="status">
          {text.overview.notFound(asked.value)}
        </p>
      )}
      {grouping === "none" && found.length > 0 && (
        <div class="panels" data-density={layout.density.value}>
          {filled.map(panel)}
          {shownCameras.map(thumb)}
        </div>
      )}
      {grouping !== "none" &&
        grouped(filled, groupName(grouping)).map(({ name, items }) => (
          <DeviceGroup
            key={name}
            layout={layout}
            name={name || words.untagged}
            devices={items.length}
            offline={items.filter(({ device }) => !device.online.value).length}
            open={asked.value !== ""}
          >
            {() => (
              <div class="panels" data-density={layout.density.value}>
                {items.map(panel)}
              </div>
            )}
          </DeviceGroup>
        ))}
      {(grouping !== "none" || found.length === 0) && shownCameras.length > 0 && (
        <div class="panels">{shownCameras.map(thumb)}</div>
      )}
    </>
  );
}

interface Found {
  id: string;
  device: DeviceState;
  rows: MetricState[];
}

/** With how many of its rows are on screen so far. */
type Filled = Found & { shown: number };

/** Under what a device is found: the first of its tags, or its link. */
const groupName =
  (grouping: Grouping) =>
  ({ device }: Found): string => {
    const { link, tags } = device.info.value;
    return grouping === "tag" ? (tags?.[0] ?? "") : (text.device.links[link] ?? link);
  };

function Tools({ layout, asked }: { layout: Layout; asked: Signal<string> }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const at = event.target as Element | null;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (at?.closest("input, textarea, select")) return;
      event.preventDefault();
      field.current?.select();
      field.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const { tools } = text.overview;
  const toggle = (title: string, on: boolean, set: (on: boolean) => void) => (
    <button type="button" class="toggle" aria-pressed={on} onClick={() => set(!on)}>
      {title}
    </button>
  );
  return (
    <search class="tools">
      <input
        ref={field}
        type="search"
        aria-label={tools.search}
        aria-keyshortcuts="/"
        placeholder={tools.placeholder}
        autocomplete="off"
        spellcheck={false}
        value={asked.value}
        onInput={(event) => {
          asked.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          asked.value = "";
          event.currentTarget.blur();
        }}
      />
      <select
        aria-label={words.group.label}
        value={layout.grouping.value}
        onChange={(event) => {
          layout.grouping.value = event.currentTarget.value as Grouping;
        }}
      >
        {GROUPINGS.map((one) => (
          <option key={one} value={one}>
            {words.group[one]}
          </option>
        ))}
      </select>
      {toggle(tools.compact, layout.density.value === "compact", (on) => {
        layout.density.value = on ? "compact" : "full";
      })}
    </search>
  );
}

function Counts({ hub }: { hub: Hub }) {
  const devices = [...hub.devices.value.values()];
  const online = devices.filter((device) => device.online.value).length;
  const away = devices.length - online;
  const metrics = devices.reduce((sum, device) => sum + device.metrics.value.length, 0);
  return (
    <p class="facts">
      <span>{text.overview.devices(devices.length)}</span>
      {hub.keptFrom.value === null && <span>{text.overview.online(online)}</span>}
      {hub.keptFrom.value === null && away > 0 && (
        <span class="warn">{text.overview.offline(away)}</span>
      )}
      <span>{text.device.metrics(metrics)}</span>
    </p>
  );
}

function Nothing({ hub }: { hub: Hub }) {
  if (hub.loaded.value === "loading") return <p class="dim pad">{text.loading}</p>;
  if (hub.loaded.value === "failed") {
    return (
      <Notice title={text.overview.failedTitle} tone="error">
        <p>{hub.error.value}</p>
        <button type="button" onClick={() => void hub.load()}>
          {text.overview.retry}
        </button>
      </Notice>
    );
  }
  return (
    <Notice title={text.overview.emptyTitle}>
      <p>{text.overview.empty}</p>
      <Steps steps={text.overview.steps} />
    </Notice>
  );
}
