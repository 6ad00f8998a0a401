import { useSignal } from "@preact/signals";
import { useHub } from "../state/context.ts";
import { hangUp } from "../state/wall.ts";
import { wallText as text } from "../text/catalogue.ts";

/** Lets a display in by its token, typed or pasted; the page starts anew with it. */
export function WallDoor() {
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
      await hangUp(client, String(entries.get("token")).replace(/^.*#/, ""));
      location.reload();
    } catch (error) {
      refusal.value = error instanceof Error ? error.message : String(error);
      pending.value = false;
    }
  };
  return (
    <form class="command login" onSubmit={submit}>
      <div class="field">
        <label for="wall-token">{text.token}</label>
        <input id="wall-token" name="token" type="password" autocomplete="off" required />
      </div>
      <button type="submit" aria-disabled={pending.value}>
        {pending.value ? text.lettingIn : text.letIn}
      </button>
      <output class="bad" aria-live="polite">
        {refusal.value}
      </output>
    </form>
  );
}
