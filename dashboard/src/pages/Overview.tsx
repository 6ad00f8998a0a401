import { CameraThumb } from "../components/CameraThumb.tsx";
import { DevicePanel } from "../components/DevicePanel.tsx";
import { Notice, Steps } from "../components/Notice.tsx";
import { useHub } from "../state/context.ts";
import type { Hub } from "../state/hub.ts";
import { text } from "../text/en.ts";

/** Every device with its live values, and the cameras. */
export function Overview() {
  const hub = useHub();
  const devices = [...hub.devices.value.values()];
  const cameras = hub.cameras.value;
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{text.overview.title}</h1>
        {devices.length > 0 && <Counts hub={hub} />}
      </header>
      {devices.length === 0 && <Nothing hub={hub} />}
      <div class="panels">
        {devices.map((device) => (
          <DevicePanel key={device.id} device={device} />
        ))}
        {cameras.map((camera) => (
          <CameraThumb key={camera.id} camera={camera} />
        ))}
      </div>
    </>
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
      <span>{text.overview.online(online)}</span>
      {away > 0 && <span class="warn">{text.overview.offline(away)}</span>}
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
