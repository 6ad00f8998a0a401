import { useSignal } from "@preact/signals";
import type { Rights } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Form, TextField, useAttempt } from "./Form.tsx";

const text = rightsText.own;

/** One's own password; who came by a link has none, which only an admin's list of users can tell. */
export function Password({ rights, me }: { rights: Rights; me: string }) {
  const users = rights.users.items.value;
  const none = users?.every((user) => user.name !== me);
  return (
    <section class="panel access-list" aria-labelledby="own-password">
      <header>
        <h2 id="own-password">{text.title}</h2>
      </header>
      {none ? <p class="dim pad">{text.none}</p> : <PasswordForm rights={rights} me={me} />}
    </section>
  );
}

function PasswordForm({ rights, me }: { rights: Rights; me: string }) {
  const old = useSignal("");
  const wanted = useSignal("");
  const again = useSignal("");
  const said = useSignal("");
  const attempt = useAttempt(["old", "new"]);
  const change = () => {
    const found: Record<string, string> = {};
    if (old.peek() === "") found["old"] = rightsText.passwordMissing;
    if (wanted.peek() === "") found["new"] = rightsText.passwordMissing;
    else if (again.peek() !== wanted.peek()) found["again"] = text.differs;
    said.value = "";
    void attempt.go(found, async () => {
      await rights.api.changePassword({ old: old.peek(), new: wanted.peek() });
      old.value = wanted.value = again.value = "";
      said.value = text.done;
      await rights.load();
    });
  };
  const errors = attempt.errors.value;
  const secret = { kind: "password" } as const;
  return (
    <Form
      attempt={attempt}
      submit={text.save}
      onSubmit={change}
      more={
        <p class="said dim" role="status">
          {said}
        </p>
      }
    >
      {/* Tells a password store whose password this is. */}
      <input hidden type="text" autocomplete="username" value={me} readOnly />
      <TextField
        {...secret}
        id="password-old"
        label={text.old}
        value={old}
        autocomplete="current-password"
        error={errors["old"]}
      />
      <TextField
        {...secret}
        id="password-new"
        label={rightsText.newPassword}
        value={wanted}
        autocomplete="new-password"
        error={errors["new"]}
        hint={rightsText.passwordHint}
      />
      <TextField
        {...secret}
        id="password-again"
        label={text.again}
        value={again}
        autocomplete="new-password"
        error={errors["again"]}
      />
    </Form>
  );
}
