import { type Signal, useSignal } from "@preact/signals";
import type { Action } from "../api/alerts.ts";
import { alertText } from "../text/catalogue.ts";

const text = alertText.rule;

const FRESH: Record<Action["type"], Action> = {
  webhook: { type: "webhook", url: "https://" },
  mqtt: { type: "mqtt", topic: "alerts/" },
  clip: { type: "clip", camera: "", seconds: 30 },
  command: { type: "command", command: "", params: {} },
};

const FIELDS: Record<Action["type"], readonly (keyof typeof text.actionFields)[]> = {
  webhook: ["url", "secret"],
  mqtt: ["topic", "payload"],
  clip: ["camera", "seconds"],
  command: ["command", "params", "device"],
};

/** What is done when the rule raises an alert. */
export function RuleActions({ actions }: { actions: Signal<Action[]> }) {
  const kind = useSignal<Action["type"]>("webhook");
  const put = (at: number, action: Action | null) => {
    const all = [...actions.peek()];
    if (action === null) all.splice(at, 1);
    else all[at] = action;
    actions.value = all;
  };
  return (
    <fieldset class="actions">
      <legend>{text.actions}</legend>
      {actions.value.length === 0 && <p class="dim">{text.noActions}</p>}
      {actions.value.map((action, at) => (
        <div class="action" key={`${at}-${action.type}`}>
          <b>{text.kinds[action.type]}</b>
          {FIELDS[action.type].map((field) => (
            <ActionField
              key={field}
              id={`action-${at}-${field}`}
              field={field}
              action={action}
              put={(next) => put(at, next)}
            />
          ))}
          <button type="button" aria-label={text.dropAction} onClick={() => put(at, null)}>
            ×
          </button>
        </div>
      ))}
      <div class="action">
        <div class="field add">
          <select
            aria-label={text.actions}
            value={kind.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value as Action["type"];
            }}
          >
            {Object.entries(text.kinds).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </div>
        <button
          type="button"
          onClick={() => {
            actions.value = [...actions.peek(), FRESH[kind.peek()]];
          }}
        >
          {text.addAction}
        </button>
      </div>
    </fieldset>
  );
}

interface FieldProps {
  id: string;
  field: keyof typeof text.actionFields;
  action: Action;
  put: (action: Action) => void;
}

function ActionField({ id, field, action, put }: FieldProps) {
  const held = (action as unknown as Record<string, unknown>)[field];
  const wrong = useSignal("");
  const typed = useSignal(
    field === "params"
      ? JSON.stringify(held ?? {})
      : held === null || held === undefined
        ? ""
        : String(held),
  );
  const change = (value: string) => {
    typed.value = value;
    const parsed = parsedOf(field, value);
    wrong.value = parsed === undefined ? (field === "params" ? text.notJson : text.notNumber) : "";
    if (parsed !== undefined) put({ ...action, [field]: parsed } as Action);
  };
  return (
    <div class="field">
      <label for={id}>{text.actionFields[field]}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={typed.value}
        aria-invalid={wrong.value !== ""}
        onInput={(event) => change(event.currentTarget.value)}
      />
      {wrong.value && <span class="note bad">{wrong.value}</span>}
    </div>
  );
}

/** The value of a field as the hub takes it; undefined: none. */
function parsedOf(field: string, typed: string): unknown {
  if (field === "seconds") {
    const seconds = Number(typed);
    return typed.trim() !== "" && Number.isFinite(seconds) ? seconds : undefined;
  }
  if (field === "params") {
    try {
      const value: unknown = JSON.parse(typed || "{}");
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? value
        : undefined;
    } catch {
      return undefined;
    }
  }
  return typed === "" && ["secret", "payload", "device"].includes(field) ? null : typed;
}
