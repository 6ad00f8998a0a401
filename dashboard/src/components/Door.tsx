import { useSignal } from "@preact/signals";
import { enter as begin } from "../state/entered.ts";

interface Field {
  name: string;
  label: string;
  secret: boolean;
  autocomplete: "username" | "current-password" | "off";
}

interface Props {
  fields: readonly Field[];
  submit: string;
  /** What the button says while it is tried. */
  busy: string;
  /** Lets the browser in; what it throws is told in its own words. */
  enter: (entered: (name: string) => string) => Promise<void>;
}

/** A form that lets somebody in; the page starts anew with the session. */
export function Door({ fields, submit, busy, enter }: Props) {
  const pending = useSignal(false);
  const refusal = useSignal("");
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (pending.peek()) return;
    const entries = new FormData(event.currentTarget as HTMLFormElement);
    pending.value = true;
    refusal.value = "";
    try {
      await enter((name) => String(entries.get(name)));
      begin(location, history);
    } catch (error) {
      refusal.value = error instanceof Error ? error.message : String(error);
      pending.value = false;
    }
  };
  return (
    <form class="door" onSubmit={onSubmit}>
      {fields.map(({ name, label, secret, autocomplete }) => {
        const shared = { id: `door-${name}`, name, autocomplete, maxLength: 256, required: true };
        return (
          <div key={name} class="field">
            <label for={shared.id}>{label}</label>
            {secret ? <input type="password" {...shared} /> : <input type="text" {...shared} />}
          </div>
        );
      })}
      <button type="submit" aria-disabled={pending.value}>
        {pending.value ? busy : submit}
      </button>
      <output class="bad" aria-live="polite">
        {refusal.value}
      </output>
    </form>
  );
}
