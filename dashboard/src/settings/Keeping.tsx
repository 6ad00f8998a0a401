import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { Notice } from "../components/Notice.tsx";
import { useHub } from "../state/context.ts";
import {
  type Foretold,
  inWords,
  type KeepRule,
  type KeepRules,
  type Kept,
  NAMES,
  raised,
  sent,
  TIERS,
  thinning,
} from "../state/keeping.ts";
import { size } from "../state/retention.ts";
import { type Rights, words as reason } from "../state/rights.ts";
import { rightsText, keepingText as text } from "../text/catalogue.ts";
import { Confirm } from "./Confirm.tsx";

const PATH = "retention/rules";

/** The rules of retention, for an admin: what they would delete is seen before they can be saved. */
export function Keeping({ rights }: { rights: Rights }) {
  const { client } = useHub();
  const kept = useSignal<Kept | null>(null);
  const draft = useSignal<KeepRules | null>(null);
  const loaded = rights.kept.items.value?.[0] ?? null;
  const found = useSignal<Foretold | null>(null);
  const wrong = useSignal("");
  const said = useSignal("");
  const busy = useSignal(false);
  const take = (next: Kept) => {
    kept.value = next;
    draft.value = next.rules;
    found.value = null;
    wrong.value = "";
  };
  useLayoutEffect(() => {
    if (loaded !== null) take(loaded);
  }, [loaded]);
  const set = (next: KeepRules) => {
    draft.value = next;
    found.value = null;
    said.value = "";
  };
  const preview = async () => {
    const rules = draft.peek();
    if (rules === null || busy.peek()) return;
    busy.value = true;
    wrong.value = "";
    try {
      const answer = await client.change<Foretold>("POST", "retention/preview", sent(rules));
      if (draft.peek() === rules) found.value = answer;
    } catch (error) {
      wrong.value = reason(error);
    } finally {
      busy.value = false;
    }
  };
  const put = async (rules: KeepRules | null) => {
    const version = kept.peek()?.version;
    take(
      rules === null
        ? await client.change<Kept>("DELETE", PATH, undefined, version)
        : await client.change<Kept>("PUT", PATH, sent(rules), version),
    );
    said.value = rules === null ? text.dropped : text.saved;
    document.getElementById("keeping")?.focus();
  };
  const rules = draft.value;
  return (
    <section class="panel access-list" aria-labelledby="keeping">
      <header>
        <h2 id="keeping" tabIndex={-1}>
          {text.title}
        </h2>
        <p class="said dim" role="status">
          {said}
        </p>
      </header>
      {rights.kept.failed.value && (
        <Notice title={text.failed(rights.kept.failed.value)} tone="error">
          <button type="button" onClick={() => void rights.kept.load()}>
            {rightsText.retry}
          </button>
        </Notice>
      )}
      {rules !== null && kept.value !== null && (
        <form
          class="access-form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void preview();
          }}
        >
          <p class="dim">
            {text.lead} {kept.value.configured ? text.configured : text.own}
          </p>
          <Rules rules={rules} set={set} />
          <p class="dim">{text.hint}</p>
          {wrong.value && (
            <p class="bad" role="alert">
              {wrong.value}
            </p>
          )}
          <Found found={found} />
          <div class="buttons">
            <button
              type="button"
              onClick={() => set({ ...rules, rule: [{ device: "*", metric: "" }, ...rules.rule] })}
            >
              {text.add}
            </button>
            <button type="submit" aria-disabled={busy.value}>
              {busy.value ? text.trying : text.try}
            </button>
            {found.value !== null && rules !== kept.value.rules && (
              <Confirm
                label={text.save}
                about={text.title}
                question={saveQuestion(found.value)}
                yes={text.saveYes}
                run={() => put(rules)}
              />
            )}
            {rules !== kept.value.rules && (
              <button type="button" onClick={() => kept.value && take(kept.value)}>
                {text.reset}
              </button>
            )}
            {!kept.value.configured && (
              <Confirm
                label={text.drop}
                about=""
                question={text.dropQuestion}
                yes={text.dropYes}
                run={() => put(null)}
              />
            )}
          </div>
        </form>
      )}
    </section>
  );
}

const saveQuestion = (found: Foretold): string => {
  const { now } = inWords(found);
  return now === text.nothing ? text.saveHarmless : text.saveQuestion(now);
};

function Found({ found }: { found: Signal<Foretold | null> }) {
  const answer = found.value;
  const { now, week, most } = answer ? inWords(answer) : { now: "", week: "", most: "" };
  return (
    <div role="status">
      {answer && (
        <dl class="foretold">
          <dt>{text.now}</dt>
          <dd>{now}</dd>
          <dt>{text.week}</dt>
          <dd>{week}</dd>
          {most && <dt>{text.most}</dt>}
          {most && <dd class="mono">{most}</dd>}
        </dl>
      )}
      {answer && answer.over_bytes > 0 && answer.size_bytes !== null && (
        <p class="warn">{text.over(size(answer.over_bytes))}</p>
      )}
    </div>
  );
}

/** Each rule, and what holds where none does. */
function Rules({ rules, set }: { rules: KeepRules; set: (next: KeepRules) => void }) {
  const change = (at: number, rule: KeepRule) =>
    set({ ...rules, rule: rules.rule.map((one, place) => (place === at ? rule : one)) });
  return (
    <>
      {rules.rule.map((rule, at) => (
        // Rules have no names: their place is what they are.
        <fieldset class="keep" key={at}>
          <legend>{text.rule(at + 1)}</legend>
          {[...NAMES, ...TIERS].map((name) => (
            <Field
              key={name}
              id={`keep-${at}-${name}`}
              name={name}
              value={rule[name] ?? ""}
              empty={NAMES.includes(name as "tag") ? text.any : text.asBelow}
              onInput={(value) => change(at, { ...rule, [name]: value })}
            />
          ))}
          {thinning(rule) && <p class="dim">{text.thins(thinning(rule))}</p>}
          <span class="buttons">
            {at > 0 && (
              <button type="button" onClick={() => set({ ...rules, rule: raised(rules.rule, at) })}>
                {text.raise}
                <span class="hidden"> {text.rule(at + 1)}</span>
              </button>
            )}
            <button
              type="button"
              onClick={() => set({ ...rules, rule: rules.rule.filter((_, place) => place !== at) })}
            >
              {text.remove}
              <span class="hidden"> {text.rule(at + 1)}</span>
            </button>
          </span>
        </fieldset>
      ))}
      <fieldset class="keep">
        <legend>{text.all}</legend>
        {[...TIERS, "size" as const].map((name) => (
          <Field
            key={name}
            id={`keep-${name}`}
            name={name}
            value={rules[name] ?? ""}
            empty=""
            onInput={(value) => set({ ...rules, [name]: value })}
          />
        ))}
      </fieldset>
    </>
  );
}

interface FieldProps {
  id: string;
  name: string;
  value: string;
  empty: string;
  onInput: (value: string) => void;
}

function Field({ id, name, value, empty, onInput }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{text.fields[name]}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={value}
        placeholder={empty}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}
