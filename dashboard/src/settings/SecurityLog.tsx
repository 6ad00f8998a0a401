import type { SecurityEvent } from "../api/rights.ts";
import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import { person, type Rights } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Section } from "./Section.tsx";

const text = rightsText.log;

/** What happened to rights, newest first, for an admin. */
export function SecurityLog({ rights }: { rights: Rights }) {
  const { events, kind } = rights;
  return (
    <Section
      id="security-log"
      title={text.title}
      list={events}
      failed={text.failed}
      empty={text.empty}
      action={
        <div class="tools">
          <label class="hidden" for="log-kind">
            {text.filter}
          </label>
          <select
            id="log-kind"
            value={kind.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value;
              void events.load();
            }}
          >
            <option value="">{text.all}</option>
            {Object.entries(text.kinds).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
          <button type="button" onClick={() => void events.load()}>
            {text.refresh}
          </button>
        </div>
      }
    >
      {(items) => (
        <>
          <Lines items={items} />
          {events.next.value && (
            <p class="pad">
              <button type="button" onClick={() => void events.load(events.next.peek())}>
                {text.older}
              </button>
            </p>
          )}
        </>
      )}
    </Section>
  );
}

function Lines({ items }: { items: SecurityEvent[] }) {
  const hub = useHub();
  const { columns } = text;
  return (
    <div class="scroll">
      <table class="trail">
        <thead>
          <tr>
            {Object.values(columns).map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((event, index) => (
            <tr key={items.length - index}>
              <td class="digits" data-label={columns.time}>
                <time title={hover(event.time)}>{moment(event.time, hub.now.peek())}</time>
              </td>
              <td data-label={columns.kind}>
                <span class={event.kind.endsWith("_refused") ? "warn" : undefined}>
                  {text.kinds[event.kind] ?? event.kind}
                </span>
              </td>
              <td class="free" data-label={columns.actor}>
                {person(event.actor)}
              </td>
              <td class="digits" data-label={columns.address}>
                {event.address}
              </td>
              <td class="free" data-label={columns.detail}>
                {event.detail}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
