import { computed } from "@preact/signals";
import type { MetricRetention, RetentionInfo } from "../api/types.ts";
import { locale } from "../format/locale.ts";
import { useHub } from "../state/context.ts";
import { age, count, going, notes, rollups, size, total } from "../state/retention.ts";
import { retentionText as words } from "../text/catalogue.ts";
import { DeviceLink } from "./DeviceLink.tsx";
import { Figures } from "./Figures.tsx";
import { Notice } from "./Notice.tsx";
import { usePolled } from "./usePolled.ts";

const EVERY_MS = 300_000;
const day = computed(
  () => new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeZone: "UTC" }),
);

/** What the store keeps of each metric, and what goes before it goes. Renewed every five minutes. */
export function Retention() {
  const hub = useHub();
  const { found: info, failed, again } = usePolled(() => hub.client.retention(), EVERY_MS, "");
  const found = info.value;
  return (
    <section class="panel scroll retention" aria-labelledby="retention">
      <header>
        <h2 id="retention">{words.title}</h2>
      </header>
      {failed.value && (
        <Notice title={words.failed(failed.value)} tone="error">
          <button type="button" onClick={() => again()}>
            {words.retry}
          </button>
        </Notice>
      )}
      {found === null && !failed.value && <p class="dim pad">{words.loading}</p>}
      {found !== null && <Kept info={found} />}
    </section>
  );
}

function Kept({ info }: { info: RetentionInfo }) {
  return (
    <>
      {notes(info).map((note) => (
        <p key={note} class="pad warn" role="status">
          {note}
        </p>
      ))}
      <Figures
        items={[
          { title: words.used, value: size(info.used_bytes) },
          { title: words.free, value: size(info.free_bytes) },
          {
            title: words.limit,
            value: info.size_bytes === null ? words.noLimit : size(info.size_bytes),
          },
          { title: words.deleted, value: count(info.deleted_rows) },
        ]}
      />
      {info.items.length === 0 ? (
        <p class="dim pad">{words.empty}</p>
      ) : (
        <Table items={info.items} />
      )}
      <p class="dim pad">{words.note}</p>
    </>
  );
}

function Table({ items }: { items: MetricRetention[] }) {
  const all = total(items);
  const names = words.columns;
  return (
    <table class="matrix">
      <thead>
        <tr>
          <th scope="col">{names.device}</th>
          <th scope="col">{names.metric}</th>
          <th scope="col">{names.keeps}</th>
          <th scope="col">{names.rollups}</th>
          <th scope="col">{names.oldest}</th>
          {[names.bytes, names.now, names.week].map((name) => (
            <th key={name} scope="col" class="right">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <tr key={`${one.device}/${one.metric}`}>
            <td>
              <DeviceLink id={one.device} />
            </td>
            <th scope="row">{one.metric}</th>
            <td class="digits">{age(one.keep.raw)}</td>
            <td class="digits">{rollups(one.keep)}</td>
            <td class="digits">
              {one.oldest === null ? words.none : day.value.format(one.oldest)}
            </td>
            <td class="digits right" title={words.samples(count(one.samples))}>
              {size(one.bytes)}
            </td>
            <Goes {...going(one.now)} />
            <Goes {...going(one.week)} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colSpan={5}>
            {words.all(count(items.length))}
          </th>
          <td class="digits right">{size(all.bytes)}</td>
          <Goes {...going(all.now)} />
          <Goes {...going(all.week)} />
        </tr>
      </tfoot>
    </table>
  );
}

function Goes({ text, title }: { text: string; title: string }) {
  return (
    <td class="digits right" title={title || undefined}>
      {text}
    </td>
  );
}
