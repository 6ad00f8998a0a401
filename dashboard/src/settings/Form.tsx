import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TokenRole } from "../api/rights.ts";
import type { Role } from "../api/types.ts";
import { refusalAt } from "../state/rights.ts";
import { rightsText as text } from "../text/catalogue.ts";

type Errors = Record<string, string>;

export interface Attempt {
  /** By field; the empty name is about the whole form. */
  errors: Signal<Errors>;
  busy: Signal<boolean>;
  /** Does the work where `found` names no error; what the hub refuses stands at its field. */
  go: (found: Errors, work: () => Promise<void>) => Promise<void>;
}

export function useAttempt(fields: readonly string[]): Attempt {
  const errors = useSignal<Errors>({});
  const busy = useSignal(false);
  const go = async (found: Errors, work: () => Promise<void>) => {
    if (busy.peek()) return;
    errors.value = found;
    if (Object.keys(found).length > 0) return;
    busy.value = true;
    try {
      await work();
    } catch (error) {
      errors.value = refusalAt(error, fields);
    } finally {
      busy.value = false;
    }
  };
  return { errors, busy, go };
}

interface FormProps {
  attempt: Attempt;
  submit: string;
  onSubmit: () => void;
  onLeave?: () => void;
  /** Beside the buttons. */
  more?: ComponentChildren;
  children: ComponentChildren;
}

/** Fields in a row, their buttons below. The first field that is wrong gets the focus. */
export function Form({ attempt, submit, onSubmit, onLeave, more, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const errors = attempt.errors.value;
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);
  return (
    <form
      ref={form}
      class="access-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      onKeyDown={(event) => event.key === "Escape" && onLeave?.()}
    >
      <div class="fields">{children}</div>
      {errors[""] && (
        <p class="bad" role="alert">
          {errors[""]}
        </p>
      )}
      <div class="buttons">
        <button type="submit" aria-disabled={attempt.busy.value}>
          {attempt.busy.value ? text.saving : submit}
        </button>
        {onLeave && (
          <button type="button" onClick={onLeave}>
            {text.leave}
          </button>
        )}
        {more}
      </div>
    </form>
  );
}

interface FieldProps {
  id: string;
  label: string;
  error?: string | undefined;
  hint?: string;
}

interface TextProps extends FieldProps {
  value: Signal<string>;
  kind?: "text" | "password";
  autocomplete?: string;
  /** Whether it takes the focus when it appears. */
  first?: boolean;
  /** How many characters it takes. */
  length?: number;
}

export function TextField({
  id,
  label,
  error,
  hint,
  value,
  kind = "text",
  autocomplete = "off",
  first = false,
  length = 64,
}: TextProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (first) input.current?.focus();
  }, []);
  const note = error ?? hint;
  const shared = {
    ref: input,
    id,
    autocomplete,
    spellcheck: false,
    value: value.value,
    "aria-invalid": error !== undefined,
    "aria-describedby": note ? `${id}-note` : undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      value.value = event.currentTarget.value;
    },
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {kind === "text" ? (
        <input type="text" maxLength={length} {...shared} />
      ) : (
        <input type="password" maxLength={256} {...shared} />
      )}
      <span id={`${id}-note`} class={error ? "note bad" : "note"}>
        {note}
      </span>
    </div>
  );
}

export function RoleField<Of extends TokenRole = Role>({
  id,
  value,
  error,
  roles,
}: {
  id: string;
  value: Signal<Of>;
  error?: string | undefined;
  roles: readonly Of[];
}) {
  return (
    <div class="field">
      <label for={id}>{text.role}</label>
      <select
        id={id}
        value={value.value}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => {
          value.value = event.currentTarget.value as Of;
        }}
      >
        {roles.map((role) => (
          <option key={role} value={role}>
            {text.roles[role]}
          </option>
        ))}
      </select>
      <span id={`${id}-note`} class={error ? "note bad" : "note"}>
        {error ?? text.roleHints[value.value]}
      </span>
    </div>
  );
}
