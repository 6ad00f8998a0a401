import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CommandRecord } from "../api/types.ts";
import { DeviceLink } from "../components/DeviceLink.tsx";
import { Notice } from "../components/Notice.tsx";
import { fixed } from "../format/number.ts";
import { resultText } from "../format/result.ts";
import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import { joined, mergeNews } from "../state/trail.ts";
import { text } from "../text/catalogue.ts";

const PAGE = 100;

/** The audit trail, newest first; states change as they are reached. */
export function CommandsPage() {
  const hub = useHub();
  const records = useSignal<CommandRecord[] | null>(null);
  const next = useSignal<string | null>(null);
  const failed = useSignal("");
  const load = async (cursor: string | null) => {
    try {
      const page = await hub.client.commands({ cursor, limit: PAGE });
      // A renewed first page keeps the older ones that were asked for.
      const first = cursor === null && records.peek() === null;
      records.value = joined(records.peek() ?? [], page.items);
      if (first || cursor !== null) next.value = page.next;
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  useEffect(() => {
    void load(null);
    return hub.commandNews.subscribe((news) => {
      if (news === null || records.peek() === null) return;
      const merged = mergeNews(records.peek() ?? [], news);
      records.value = merged.records;
      // The stream does not tell who asked, and with what: the trail does.
      if (merged.isNew) setTimeout(() => void load(null), 300);
    });
  }, []);
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{text.commands.title}</h1>
        <p class="facts">{text.commands.lead}</p>
      </header>
      {failed.value && (
        <Notice title={text.commands.failedTitle} tone="error">
          <p>{failed.value}</p>
          <button type="button" onClick={() => void load(null)}>
            {text.commands.retry}
          </button>
        </Notice>
      )}
      {records.value === null && !failed.value && <p class="dim pad">{text.commands.loading}</p>}
      {records.value?.length === 0 && (
        <Notice title={text.commands.emptyTitle}>
          <p>{text.commands.empty}</p>
        </Notice>
      )}
      {records.value !== null && records.value.length > 0 && <Trail records={records.value} />}
      {next.value && (
        <button type="button" onClick={() => void load(next.peek())}>
          {text.commands.more}
        </button>
      )}
    </>
  );
}

function Trail({ records }: { records: CommandRecord[] }) {
  const { columns } = text.commands;
  return (
    <div class="panel scroll">
      <table class="trail">
        <thead>
          <tr>
            <th scope="col">{columns.time}</th>
            <th scope="col">{columns.device}</th>
            <th scope="col">{columns.command}</th>
            <th scope="col">{columns.params}</th>
            <th scope="col">{columns.state}</th>
            <th scope="col" class="right">
              {columns.took}
            </th>
            <th scope="col">{columns.result}</th>
            <th scope="col">{columns.caller}</th>
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <Line key={record.id} record={record} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ record }: { record: CommandRecord }) {
  const hub = useHub();
  const { columns } = text.commands;
  const created = record.created_time ?? record.time;
  const open = record.state === "queued" || record.state === "sent";
  return (
    <tr data-state={record.state}>
      <td class="digits" data-label={columns.time}>
        <time title={hover(created)}>{moment(created, hub.now.peek())}</time>
      </td>
      <td data-label={columns.device}>
        <DeviceLink id={record.device} />
      </td>
      <td data-label={columns.command}>{record.command}</td>
      <td class="mono free" data-label={columns.params}>
        {record.params && Object.keys(record.params).length > 0 ? resultText(record.params) : ""}
      </td>
      <td data-label={columns.state}>
        <span class={`outcome-word ${record.state}`}>
          {text.command.states[record.state] ?? record.state}
        </span>
      </td>
      <td class="digits right" data-label={columns.took}>
        {open ? "" : `${fixed(record.time - created, 0)} ms`}
      </td>
      <td class="free" data-label={columns.result}>
        {record.error ?? (record.state === "succeeded" ? resultText(record.result) : "")}
      </td>
      <td data-label={columns.caller} title={record.origin}>
        {record.caller && <span class="whole">{record.caller.replace(/^user:/, "")}</span>}
      </td>
    </tr>
  );
}
