import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Action, alertsApi, type Preview, type Rule } from "../api/alerts.ts";
import { useHub } from "../state/context.ts";
import { asks, draftOf, idOf, type RuleDraft, restated, ruleOf } from "../state/rule.ts";
import { alertText } from "../text/catalogue.ts";
import { RuleActions } from "./RuleActions.tsx";
import { ruleUnit } from "./ruleUnit.ts";

const text = alertText.rule;

interface Props {
  rule: Rule;
  /** 0: it is new. */
  version: number;
  onDone: () => void;
  onLeave: () => void;
}

type Text = Exclude<keyof RuleDraft, "condition" | "severity" | "enabled">;

/** A rule as a form: what the hub refuses is shown with its own words, at the field where it is about one. */
export function RuleForm({ rule, version, onDone, onLeave }: Props) {
  const hub = useHub();
  const api = alertsApi(hub.client);
  const draft = useSignal(draftOf(rule, ruleUnit(hub, rule.source)));
  const to = ruleUnit(hub, draft.value.source);
  const shown = useRef(to);
  // The devices, and with them the unit, may be known after the form is open; another source may have another.
  useLayoutEffect(() => {
    draft.value = restated(draft.peek(), shown.current, to);
    shown.current = to;
  }, [to.by, to.add]);
  const actions: Signal<Action[]> = useSignal(rule.actions);
  const errors = useSignal<Record<string, string>>({});
  const failed = useSignal("");
  const busy = useSignal("");
  const found = useSignal<Preview | null>(null);
  const asking = useSignal(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const set = (change: Partial<RuleDraft>) => {
    draft.value = { ...draft.peek(), ...change };
    found.value = null;
  };
  const attempt = async (doing: string, work: (rule: Rule) => Promise<void>) => {
    const parsed = ruleOf(
      { ...draft.peek(), id: draft.peek().id || idOf(draft.peek().title) },
      actions.peek(),
      to,
      rule,
    );
    errors.value = parsed.errors;
    failed.value = "";
    if (Object.keys(parsed.errors).length > 0 || busy.peek() !== "") return;
    busy.value = doing;
    try {
      await work(parsed.rule);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const field = /^`([a-z_]+)`: /.exec(words);
      if (field?.[1] && field[1] in draft.peek()) {
        errors.value = { [field[1]]: words.slice(field[0].length) };
      } else failed.value = words;
    } finally {
      busy.value = "";
    }
  };
  const save = () =>
    attempt(text.saving, async (wanted) => {
      await api.putRule(wanted, version);
      onDone();
    });
  const preview = () =>
    attempt(text.trying, async (wanted) => {
      found.value = await api.preview(wanted);
    });
  const remove = () =>
    attempt(text.saving, async () => {
      await api.deleteRule(rule.id, version);
      onDone();
    });
  const shared = { draft: draft.value, errors: errors.value, set };
  return (
    <form
      class="panel rule-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => event.key === "Escape" && onLeave()}
    >
      <div class="fields">
        <Line {...shared} field="title" input={first} />
        {version === 0 && <Line {...shared} field="id" placeholder={idOf(draft.value.title)} />}
        <Line {...shared} field="source" />
        <Choice
          {...shared}
          field="condition"
          titles={text.conditions}
          onPick={(condition) => set({ condition: condition as Rule["condition"] })}
        />
        {(["threshold", "window", "value", "hold", "hysteresis", "clear_hold"] as const)
          .filter((field) => asks(draft.value.condition, field))
          .map((field) => (
            <Line key={field} {...shared} field={field} unit={to.unit} />
          ))}
        <Choice
          {...shared}
          field="severity"
          titles={alertText.severity}
          onPick={(severity) => set({ severity: severity as Rule["severity"] })}
        />
        <Choice
          {...shared}
          field="enabled"
          titles={{ true: text.enabled.yes, false: text.enabled.no }}
          onPick={(enabled) => set({ enabled: enabled === "true" })}
        />
      </div>
      <RuleActions actions={actions} />
      <p class="said" role="status">
        {busy.value || (found.value && <Found preview={found.value} />)}
      </p>
      {failed.value && (
        <p class="bad" role="alert">
          {failed.value}
        </p>
      )}
      <div class="buttons">
        <button type="submit">{text.save}</button>
        <button type="button" onClick={() => void preview()}>
          {text.try}
        </button>
        <button type="button" onClick={onLeave}>
          {text.leave}
        </button>
        {version > 0 && !asking.value && (
          <button
            type="button"
            class="grave"
            onClick={() => {
              asking.value = true;
            }}
          >
            {text.remove}
          </button>
        )}
        {asking.value && (
          <fieldset class="ask">
            <legend>{text.removeQuestion(rule.title || rule.id)}</legend>
            <button type="button" class="grave" onClick={() => void remove()}>
              {text.removeYes}
            </button>
          </fieldset>
        )}
      </div>
    </form>
  );
}

function Found({ preview }: { preview: Preview }) {
  if (preview.items.length === 0 && preview.left_out === 0) return <>{text.noMetric}</>;
  const where = preview.items
    .filter((item) => item.raised > 0)
    .map((item) => `${item.device}/${item.metric} ${item.raised}`);
  return (
    <>
      {text.wouldHave(preview.raised)} {where.join(", ")}
      {preview.left_out > 0 && ` ${text.leftOut(preview.left_out)}`}
    </>
  );
}

interface FieldProps {
  draft: RuleDraft;
  errors: Record<string, string>;
  set: (change: Partial<RuleDraft>) => void;
}

function Line({
  field,
  draft,
  errors,
  set,
  input,
  placeholder,
  unit = "",
}: FieldProps & {
  field: Text;
  input?: RefObject<HTMLInputElement | null>;
  placeholder?: string;
  /** Of those fields that are numbers of the metric. */
  unit?: string;
}) {
  const id = `rule-${field}`;
  const error = errors[field];
  const counted = unit !== "" && (field === "threshold" || field === "hysteresis");
  const note = error ?? (text.hints as Partial<Record<string, string>>)[field];
  return (
    <div class="field">
      <label for={id}>
        {text.fields[field]}
        {counted && ` (${unit})`}
      </label>
      <input
        {...(input ? { ref: input } : {})}
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={draft[field]}
        placeholder={placeholder}
        aria-invalid={error !== undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        onInput={(event) => set({ [field]: event.currentTarget.value })}
      />
      {note && (
        <span id={`${id}-note`} class={error ? "note bad" : "note"}>
          {note}
        </span>
      )}
    </div>
  );
}

function Choice({
  field,
  draft,
  errors,
  titles,
  onPick,
}: FieldProps & {
  field: "condition" | "severity" | "enabled";
  titles: Record<string, string>;
  onPick: (value: string) => void;
}) {
  const id = `rule-${field}`;
  return (
    <div class="field">
      <label for={id}>{text.fields[field]}</label>
      <select
        id={id}
        value={String(draft[field])}
        aria-invalid={errors[field] !== undefined}
        onChange={(event) => onPick(event.currentTarget.value)}
      >
        {Object.entries(titles).map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
      {errors[field] && <span class="note bad">{errors[field]}</span>}
    </div>
  );
}
