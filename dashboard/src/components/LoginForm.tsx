import { useSignal } from "@preact/signals";
import { useHub } from "../state/context.ts";
import { text } from "../text/catalogue.ts";

/** Name and password; the page starts anew with the session, and a refusal shows the hub's own words. */
export function LoginForm() {
  const { client } = useHub();
  const pending = useSignal(false);
  const refusal = useSignal("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (pending.peek()) return;
    const entries = new FormData(event.currentTarget as HTMLFormElement);
    pending.value = true;
    refusal.value = "";
    try {
      await client.logIn(String(entries.get("name")), String(entries.get("password")));
      location.reload();
    } catch (error) {
      refusal.value = error instanceof Error ? error.message : String(error);
      pending.value = false;
    }
  };

  return (
    <form class="command login" onSubmit={submit}>
      <div class="field">
        <label for="login-name">{text.signedOut.name}</label>
        <input
          id="login-name"
          name="name"
          type="text"
          autocomplete="username"
          required
          maxLength={64}
        />
      </div>
      <div class="field">
        <label for="login-password">{text.signedOut.password}</label>
        <input
          id="login-password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
      </div>
      <button type="submit" aria-disabled={pending.value}>
        {pending.value ? text.signedOut.loggingIn : text.signedOut.logIn}
      </button>
      <output class="bad" aria-live="polite">
        {refusal.value}
      </output>
    </form>
  );
}
