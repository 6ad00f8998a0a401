import { type Signal, useSignal } from "@preact/signals";
import { CommandForm } from "../components/CommandForm.tsx";
import { ConfigurationPanel } from "../components/ConfigurationPanel.tsx";
import { Console } from "../components/Console.tsx";
import { DesiredPanel } from "../components/DesiredPanel.tsx";
import { Presence } from "../components/DevicePanel.tsx";
import { DeviceTrail } from "../components/DeviceTrail.tsx";
import { FirmwarePanel } from "../components/FirmwarePanel.tsx";
import { KeyBanner, KeyPanel } from "../components/KeyPanel.tsx";
import { LinkFigures } from "../components/LinkFigures.tsx";
import { Notice } from "../components/Notice.tsx";
import { Ranges } from "../components/Ranges.tsx";
import { NotedReadout } from "../components/Readout.tsx";
import { RemovePanel } from "../components/RemovePanel.tsx";
import { useLater } from "../components/useLater.ts";
import { title } from "../format/value.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { fieldsOf } from "../state/schema.ts";
import { liveView, type View } from "../state/view.ts";
import { enrolmentText, text } from "../text/catalogue.ts";

/** One device: a chart for each metric, its commands, its console, its link. */
export function DevicePage({ id }: { id: string }) {
  const hub = useHub();
  const device = hub.devices.value.get(id);
  if (device) return <Known key={id} device={device} />;
  if (hub.loaded.value === "loading") {
    return (
      <>
        <h1 tabIndex={-1}>{id}</h1>
        <p class="dim pad">{text.loading}</p>
      </>
    );
  }
  const failed = hub.loaded.value === "failed";
  return (
    <>
      <h1 tabIndex={-1}>{id}</h1>
      <Notice title={failed ? text.overview.failedTitle : text.device.unknownTitle} tone="error">
        <p>{failed ? hub.error.value : text.device.unknown(id)}</p>
        {failed ? (
          <button type="button" onClick={() => void hub.load()}>
            {text.overview.retry}
          </button>
        ) : (
          <a href="/">{text.device.back}</a>
        )}
      </Notice>
    </>
  );
}

function Known({ device }: { device: DeviceState }) {
  const view = useSignal<View>(liveView(300_000));
  const info = device.info.value;
  // The hub itself and plain MQTT devices have no boots: neither a console nor a link with a session.
  const board = info.boot_id !== null;
  return (
    <div data-online={info.online} data-device={info.id}>
      <header class="page">
        <h1 tabIndex={-1}>{info.name || info.id}</h1>
        <Presence device={device} />
        <Ranges view={view} />
      </header>
      {!info.online && info.reason && <p class="banner warn">{info.reason}</p>}
      {info.notice && <p class="banner warn">{info.notice}</p>}
      <KeyBanner id={info.id} />
      <Identity device={device} />
      <Charts device={device} view={view} />
      {device.metrics.value.length === 0 && <p class="dim pad">{text.device.noMetrics}</p>}
      <div class="below">
        <Commands device={device} />
        <ConfigurationPanel device={device} />
        <FirmwarePanel device={device} />
        <KeyPanel device={device} />
        {info.commands.length > 0 && <DesiredPanel device={device} />}
        {board && <Console device={device} />}
        {board && <LinkFigures device={device} />}
        {info.commands.length > 0 && <DeviceTrail device={device} />}
        <RemovePanel device={device} />
      </div>
    </div>
  );
}

/** Nobody on the overview needs what draws charts: it comes when a device is looked at. */
const loadCharts = async () => (await import("../components/DeviceCharts.tsx")).DeviceCharts;

/** The device's charts; until their code is there, the values in the same places. */
function Charts({ device, view }: { device: DeviceState; view: Signal<View> }) {
  const { code: DeviceCharts, failed, ask } = useLater(loadCharts, device.id);
  if (DeviceCharts) return <DeviceCharts device={device} view={view} />;
  return (
    <>
      {failed.value && (
        <Notice title={text.overview.failedTitle} tone="error">
          <button type="button" onClick={ask}>
            {text.overview.retry}
          </button>
        </Notice>
      )}
      <div class="charts">
        {device.metrics.value.map((metric) => (
          <section key={metric.name} class="panel chart">
            <header>
              <h2>{title(metric.meta.value)}</h2>
              <NotedReadout device={device} metric={metric} />
            </header>
            {metric.meta.value.kind === "text" ? (
              <p class="dim pad">{text.chart.text}</p>
            ) : (
              <div class="plot" />
            )}
          </section>
        ))}
      </div>
    </>
  );
}

function Identity({ device }: { device: DeviceState }) {
  const info = device.info.value;
  const facts = [
    [text.device.id, info.id],
    [text.device.model, info.model],
    [text.device.firmware, info.firmware],
    [text.device.link, text.device.links[info.link] ?? info.link],
    [text.device.boot, info.boot_id ?? ""],
    [enrolmentText.key.fact, info.online && info.key ? enrolmentText.key[info.key] : ""],
    [text.device.outbox, info.outbox_bytes ? `${Math.round(info.outbox_bytes / 1000)} kB` : ""],
  ].filter(([, value]) => value !== "");
  return (
    <dl class="identity">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** These have a form of their own. */
const CONFIGURING = new Set(["configuration", "configure", "drivers"]);

function Commands({ device }: { device: DeviceState }) {
  const hub = useHub();
  const info = device.info.value;
  // What takes no parameters is one button, and needs no form of its own.
  const offered = info.commands.filter((command) => !CONFIGURING.has(command.name));
  const plain = offered.filter((command) => fieldsOf(command.params).length === 0);
  const viewer = hub.session.value?.role === "viewer";
  const note = viewer ? text.command.viewer : info.online ? "" : text.command.offline;
  return (
    <section class="panel commands" aria-labelledby="commands">
      <header>
        <h2 id="commands">{text.command.title}</h2>
      </header>
      {info.commands.length === 0 && <p class="dim pad">{text.command.none}</p>}
      {info.commands.length > 0 && note && <p class="dim pad">{note}</p>}
      {!viewer && (
        <div class="forms">
          {plain.length > 0 && (
            <div class="plain">
              {plain.map((command) => (
                <CommandForm key={command.name} device={device} command={command} />
              ))}
            </div>
          )}
          {offered
            .filter((command) => !plain.includes(command))
            .map((command) => (
              <CommandForm key={command.name} device={device} command={command} />
            ))}
        </div>
      )}
    </section>
  );
}
