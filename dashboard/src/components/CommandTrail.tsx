import type { CommandRecord } from "../api/types.ts";
import { fixed } from "../format/number.ts";
import { resultText } from "../format/result.ts";
import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import { text } from "../text/catalogue.ts";
import { DeviceLink } from "./DeviceLink.tsx";

interface Props {
  records: readonly CommandRecord[];
  /** Whether all are of one device, which then need not be named. */
  ofOne?: boolean;
}

/** Commands and what became of them, newest first. */
export function CommandTrail({ records, ofOne = false }: Props) {
  const { columns } = text.commands;
  return (
    <div class="scroll">
      <table class="trail">
        <thead>
          <tr>
            <th scope="col">{columns.time}</th>
            {!ofOne && <th scope="col">{columns.device}</th>}
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
            <Line key={record.id} record={record} ofOne={ofOne} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ record, ofOne }: { record: CommandRecord; ofOne: boolean }) {
  const hub = useHub();
  const { columns } = text.commands;
  const created = record.created_time ?? record.time;
  const open = record.state === "queued" || record.state === "sent";
  return (
    <tr data-state={record.state}>
      <td class="digits" data-label={columns.time}>
        <time title={hover(created)}>{moment(created, hub.now.peek())}</time>
      </td>
      {!ofOne && (
        <td data-label={columns.device}>
          <DeviceLink id={record.device} />
        </td>
      )}
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
