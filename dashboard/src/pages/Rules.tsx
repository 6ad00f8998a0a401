import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alertsApi, type StoredRule } from "../api/alerts.ts";
import { Notice } from "../components/Notice.tsx";
import { RuleForm } from "../components/RuleForm.tsx";
import { ruleUnit } from "../components/ruleUnit.ts";
import { useHub } from "../state/context.ts";
import { inWords, NEW_RULE } from "../state/rule.ts";
import { alertText } from "../text/catalogue.ts";

const text = alertText.rule;

/** The rules, each in words; one at a time is edited. */
export function RulesPage() {
  const hub = useHub();
  const rules = useSignal<StoredRule[] | null>(null);
  const failed = useSignal("");
  /** The id of the rule that is edited; empty: a new one. */
  const editing = useSignal<string | null>(null);
  const load = async () => {
    try {
      rules.value = (await alertsApi(hub.client).rules()).items;
      failed.value = "";
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  useEffect(() => void load(), []);
  const done = () => {
    editing.value = null;
    void load();
  };
  return (
    <>
      <header class="page">
        <p class="facts">{text.lead}</p>
        <span class="actions">
          <a class="button" href="/alerts">
            {alertText.toAlerts}
          </a>
          {rules.value !== null && (
            <a class="button" href="/api/v1/rules?format=toml" download="outpost-rules.toml">
              {text.download}
            </a>
          )}
          {rules.value !== null && editing.value === null && (
            <button
              type="button"
              onClick={() => {
                editing.value = "";
              }}
            >
              {text.make}
            </button>
          )}
        </span>
      </header>
      {failed.value && (
        <Notice title={text.failedTitle} tone="error">
          <p>{failed.value}</p>
          <button type="button" onClick={() => void load()}>
            {alertText.retry}
          </button>
        </Notice>
      )}
      {rules.value === null && !failed.value && <p class="dim pad">{text.loading}</p>}
      {editing.value === "" && (
        <RuleForm rule={NEW_RULE} version={0} onDone={done} onLeave={done} />
      )}
      {rules.value?.length === 0 && editing.value === null && (
        <Notice title={text.emptyTitle}>
          <p>{text.empty}</p>
        </Notice>
      )}
      <div class="rules">
        {rules.value?.map((stored) =>
          editing.value === stored.id ? (
            <RuleForm
              key={`${stored.id}-${stored.version}`}
              rule={stored.body}
              version={stored.version}
              onDone={done}
              onLeave={done}
            />
          ) : (
            <article key={stored.id} class="panel rule" data-off={!stored.body.enabled}>
              <div>
                <h2>
                  {stored.body.title || stored.id}
                  {!stored.body.enabled && <span class="dim"> ({text.off})</span>}
                </h2>
                <p>
                  <span class="mono">{stored.body.source}</span>{" "}
                  {inWords(stored.body, ruleUnit(hub, stored.body.source))}
                </p>
                <p class="dim">
                  {alertText.severity[stored.body.severity]}
                  {stored.body.actions.map((action) => `, ${text.kinds[action.type]}`)}
                </p>
              </div>
              <button
                type="button"
                onClick={() => {
                  editing.value = stored.id;
                }}
              >
                {text.edit}
                <span class="hidden"> {stored.body.title || stored.id}</span>
              </button>
            </article>
          ),
        )}
      </div>
    </>
  );
}
