import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alertsApi, type Desired, type Wanted } from "../api/alerts.ts";
import { resultText } from "../format/result.ts";
import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { alertText } from "../text/catalogue.ts";

const text = alertText.desired;

/** What a device should be against what it reports. */
export function DesiredPanel({ device }: { device: DeviceState }) {
  const hub = useHub();
  const api = alertsApi(hub.client);
  const view = useSignal<Desired | null>(null);
  const failed = useSignal("");
  const load = async () => {
    try {
      view.value = await api.desired(device.id);
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  const online = device.info.value.online;
  useEffect(() => {
    void load();
    // Its state follows commands: those that were sent for it, and those that went past it.
    return hub.commandNews.subscribe((news) => {
      if (news?.device === device.id && !["queued", "sent"].includes(news.state)) {
        setTimeout(() => void load(), 100);
      }
    });
  }, [device.id, online]);
  const drop = async (at: number) => {
    const now = view.peek();
    if (now === null) return;
    const left: Wanted[] = now.items
      .filter((_, place) => place !== at)
      .map(({ command, params }) => ({ command, params }));
    try {
      view.value = await api.putDesired(device.id, left, now.version);
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  const may = hub.session.value?.role !== "viewer";
  const shown = view.value;
  return (
    <section class="panel desired" aria-labelledby="desired">
      <header>
        <h2 id="desired">{text.title}</h2>
        {shown !== null && shown.version > 0 && shown.updated_time !== null && (
          <span class="dim" title={hover(shown.updated_time)}>
            {text.version(
              shown.version,
              shown.updated_by?.replace(/^user:/, "") ?? "",
              moment(shown.updated_time, hub.now.peek()),
            )}
          </span>
        )}
      </header>
      {failed.value && (
        <p class="bad pad" role="alert">
          {text.failed(failed.value)}
        </p>
      )}
      {shown?.items.length === 0 && <p class="dim pad">{text.none}</p>}
      {shown !== null && shown.items.length > 0 && (
        <table class="trail">
          <thead>
            <tr>
              <th scope="col">{text.columns.command}</th>
              <th scope="col">{text.columns.wanted}</th>
              <th scope="col">{text.columns.reported}</th>
              <th scope="col">{text.columns.state}</th>
              {may && <th scope="col" />}
            </tr>
          </thead>
          <tbody>
            {shown.items.map((item, at) => (
              <tr key={`${item.command}-${JSON.stringify(item.params)}`}>
                <td data-label={text.columns.command}>{item.command}</td>
                <td class="mono free" data-label={text.columns.wanted}>
                  {resultText(item.params)}
                </td>
                <td class="mono free" data-label={text.columns.reported}>
                  {item.reported === null ? "" : resultText(item.reported)}
                </td>
                <td class="free" data-label={text.columns.state}>
                  <span>
                    <span class={`desired-word ${item.state}`}>{text.states[item.state]}</span>
                    {item.error !== null && ` ${item.error}`}
                    {item.state === "agreed" && item.time !== null && (
                      <span class="dim digits" title={hover(item.time)}>
                        {" "}
                        {moment(item.time, hub.now.peek())}
                      </span>
                    )}
                  </span>
                </td>
                {may && (
                  <td class="right">
                    <button type="button" aria-label={text.drop} onClick={() => void drop(at)}>
                      ×
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** After a command that sets something: have it sent again when the device comes back without it. */
export function KeepDesired({ device, wanted }: { device: string; wanted: Wanted }) {
  const hub = useHub();
  const said = useSignal("");
  const keep = async () => {
    try {
      await keepDesired(alertsApi(hub.client), device, wanted);
      said.value = text.kept;
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    }
  };
  if (said.value) return <span class="detail">{said.value}</span>;
  return (
    <button type="button" class="small" onClick={() => void keep()}>
      {text.keep}
    </button>
  );
}

/** Put a command among what is desired of a device, in place of one that sets the same. */
async function keepDesired(
  api: ReturnType<typeof alertsApi>,
  device: string,
  wanted: Wanted,
): Promise<void> {
  const now = await api.desired(device);
  const same = (item: Wanted) =>
    item.command === wanted.command && item.params["metric"] === wanted.params["metric"];
  const others = now.items
    .filter((item) => !same(item))
    .map(({ command, params }) => ({ command, params }));
  await api.putDesired(device, [...others, wanted], now.version);
}
