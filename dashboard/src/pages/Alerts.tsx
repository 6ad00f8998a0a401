import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Alert, alertsApi } from "../api/alerts.ts";
import { DeviceLink } from "../components/DeviceLink.tsx";
import { Notice } from "../components/Notice.tsx";
import { age } from "../format/number.ts";
import { hover, moment } from "../format/time.ts";
import { mergeAlerts } from "../state/alerts.ts";
import { useHub } from "../state/context.ts";
import { alertText as text } from "../text/catalogue.ts";

const PAGE = 100;

/** What is active, and what was. */
export function AlertsPage() {
  const hub = useHub();
  const api = alertsApi(hub.client);
  const records = useSignal<Alert[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal("");
  const load = async (cursor: string | null) => {
    try {
      const page = await api.alerts({ active: "false", cursor, limit: PAGE });
      records.value = mergeAlerts(records.peek() ?? [], page.items);
      next.value = page.next;
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  useEffect(() => {
    void load(null);
    return hub.alerts.news.subscribe((news) => {
      if (news !== null && news.cleared_time !== null && records.peek() !== null) {
        records.value = mergeAlerts(records.peek() ?? [], [news]);
      }
    });
  }, []);
  const active = hub.alerts.list.value;
  const admin = hub.session.value?.role === "admin";
  const nothing = active.length === 0 && records.value?.length === 0;
  return (
    <>
      <header class="page">
        <p class="facts">{text.lead}</p>
        {admin && (
          <span class="actions">
            <a class="button" href="/rules">
              {text.toRules}
            </a>
          </span>
        )}
      </header>
      {failed.value && (
        <Notice title={text.failedTitle} tone="error">
          <p>{failed.value}</p>
          <button type="button" onClick={() => void load(null)}>
            {text.retry}
          </button>
        </Notice>
      )}
      {records.value === null && !failed.value && <p class="dim pad">{text.loading}</p>}
      {nothing && (
        <Notice title={text.emptyTitle}>
          <p>{text.empty}</p>
        </Notice>
      )}
      {!nothing && records.value !== null && (
        <>
          <section class="panel alerts" aria-labelledby="active-alerts">
            <header>
              <h2 id="active-alerts">{text.now}</h2>
            </header>
            {active.length === 0 && <p class="dim pad">{text.none}</p>}
            {active.map((alert) => (
              <Active key={alert.id} alert={alert} />
            ))}
          </section>
          {records.value.length > 0 && <History records={records.value} />}
        </>
      )}
      {next.value && (
        <button type="button" onClick={() => void load(next.peek())}>
          {text.more}
        </button>
      )}
    </>
  );
}

function Active({ alert }: { alert: Alert }) {
  const hub = useHub();
  const failed = useSignal("");
  const acknowledge = async () => {
    try {
      hub.alerts.take(await alertsApi(hub.client).acknowledge(alert.id));
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  const may = hub.session.value?.role !== "viewer";
  const seen = alert.acknowledged_time;
  return (
    <article class="alert" data-severity={alert.severity} data-seen={seen !== null}>
      <div>
        <h3>
          <span class="severity">{text.severity[alert.severity]}</span> {alert.title}
        </h3>
        <p>
          <DeviceLink id={alert.device} />: {alert.text}
        </p>
        <p class="dim digits" title={hover(alert.raised_time)}>
          {text.raised(moment(alert.raised_time, hub.now.peek()))}
          {seen !== null &&
            `, ${text.acknowledged(person(alert.acknowledged_by), moment(seen, hub.now.peek()))}`}
        </p>
        {failed.value && (
          <p class="bad" role="alert">
            {failed.value}
          </p>
        )}
      </div>
      {seen === null && may && (
        <button type="button" onClick={() => void acknowledge()}>
          {text.acknowledge}
          <span class="hidden"> {alert.title}</span>
        </button>
      )}
    </article>
  );
}

function History({ records }: { records: Alert[] }) {
  const hub = useHub();
  const { columns } = text;
  return (
    <section class="panel scroll" aria-labelledby="past-alerts">
      <header>
        <h2 id="past-alerts">{text.history}</h2>
      </header>
      <table class="trail">
        <thead>
          <tr>
            <th scope="col">{columns.raised}</th>
            <th scope="col">{columns.severity}</th>
            <th scope="col">{columns.alert}</th>
            <th scope="col">{columns.where}</th>
            <th scope="col">{columns.words}</th>
            <th scope="col">{columns.cleared}</th>
            <th scope="col">{columns.seen}</th>
          </tr>
        </thead>
        <tbody>
          {records.map((alert) => (
            <tr key={alert.id}>
              <td class="digits" data-label={columns.raised}>
                <time title={hover(alert.raised_time)}>
                  {moment(alert.raised_time, hub.now.peek())}
                </time>
              </td>
              <td data-label={columns.severity}>{text.severity[alert.severity]}</td>
              <td data-label={columns.alert}>{alert.title}</td>
              <td data-label={columns.where}>
                <DeviceLink id={alert.device} />
              </td>
              <td class="free" data-label={columns.words}>
                {alert.text}
              </td>
              <td
                class="free"
                data-label={columns.cleared}
                title={alert.cleared_time === null ? undefined : hover(alert.cleared_time)}
              >
                {alert.cleared_time !== null &&
                  (alert.cleared_why ??
                    text.cleared(
                      moment(alert.cleared_time, hub.now.peek()),
                      age(alert.cleared_time - alert.raised_time),
                    ))}
              </td>
              <td data-label={columns.seen}>{person(alert.acknowledged_by)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const person = (name: string | null): string => name?.replace(/^user:/, "") ?? "";
