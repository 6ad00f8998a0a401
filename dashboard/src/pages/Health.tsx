import { parseExposition, type Series } from "../api/prometheus.ts";
import { DeviceLink } from "../components/DeviceLink.tsx";
import { Figures } from "../components/Figures.tsx";
import { Notice } from "../components/Notice.tsx";
import { Retention } from "../components/Retention.tsx";
import { StoreWear } from "../components/StoreWear.tsx";
import { usePolled } from "../components/usePolled.ts";
import { useHub } from "../state/context.ts";
import { healthGroups, linkTable } from "../state/figures.ts";
import { text } from "../text/catalogue.ts";

const EVERY_MS = 2000;

/** The hub itself: its counters, renewed every two seconds. */
export function HealthPage() {
  const hub = useHub();
  const load = async () => {
    const [exposition] = await Promise.all([hub.client.health(), hub.refreshInfo()]);
    return parseExposition(exposition);
  };
  const { found: figures, failed, again } = usePolled(load, EVERY_MS, "");
  const info = hub.info.value;
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{text.health.title}</h1>
        <p class="facts">{text.health.lead}</p>
      </header>
      {failed.value && (
        <Notice title={text.health.failedTitle} tone="error">
          <p>{failed.value}</p>
          <button type="button" onClick={() => again()}>
            {text.health.retry}
          </button>
        </Notice>
      )}
      {figures.value === null && !failed.value && <p class="dim pad">{text.health.loading}</p>}
      {figures.value !== null && info && (
        <div class="panels small" data-old={failed.value !== ""}>
          {healthGroups(figures.value, info, hub.hubNow(), hub.rate.value).map((group) => (
            <section key={group.title} class="panel" aria-label={group.title}>
              <header>
                <h2>{group.title}</h2>
              </header>
              <Figures items={group.figures} />
            </section>
          ))}
        </div>
      )}
      {figures.value !== null && <Links figures={figures.value} />}
      {/* What stands below waits for what stands above: nothing may move down under a reader's eyes. */}
      {figures.value !== null && info && (
        <>
          <StoreWear info={info.health.store} />
          <Retention />
        </>
      )}
    </>
  );
}

function Links({ figures }: { figures: Map<string, Series[]> }) {
  const table = linkTable(figures);
  if (table.rows.length === 0) return null;
  return (
    <section class="panel scroll" aria-labelledby="links">
      <header>
        <h2 id="links">{text.health.links}</h2>
      </header>
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">{text.health.figure}</th>
            {table.devices.map((device) => (
              <th key={device} scope="col" class="right">
                <DeviceLink id={device} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={row.title}>
              <th scope="row">{row.title}</th>
              {row.cells.map((cell, at) => (
                <td key={table.devices[at]} class="digits right">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
