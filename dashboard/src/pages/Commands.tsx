import { CommandTrail } from "../components/CommandTrail.tsx";
import { Notice } from "../components/Notice.tsx";
import { useTrail } from "../components/useTrail.ts";
import { text } from "../text/catalogue.ts";

const PAGE = 100;

/** The audit trail, newest first; states change as they are reached. */
export function CommandsPage() {
  const { records, next, failed, load } = useTrail(PAGE);
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
      {records.value !== null && records.value.length > 0 && (
        <div class="panel">
          <CommandTrail records={records.value} />
        </div>
      )}
      {next.value && (
        <button type="button" onClick={() => void load(next.peek())}>
          {text.commands.more}
        </button>
      )}
    </>
  );
}
