import { useSignal } from "@preact/signals";
import type { User } from "../api/rights.ts";
import type { Role } from "../api/types.ts";
import { type Rights, ROLES } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Confirm } from "./Confirm.tsx";
import { Form, RoleField, TextField, useAttempt } from "./Form.tsx";
import { focusOn, Section } from "./Section.tsx";

const text = rightsText.users;
const ID = "users";

/** Who logs in with a password, for an admin. `me` is the admin's own name. */
export function Users({ rights, me }: { rights: Rights; me: string }) {
  /** Who is changed; empty: somebody new. */
  const open = useSignal<string | null>(null);
  const said = useSignal("");
  const done = async (words: string) => {
    await rights.load();
    open.value = null;
    said.value = words;
    focusOn(ID);
  };
  const leave = (from: string) => {
    open.value = null;
    queueMicrotask(() => focusOn(from));
  };
  return (
    <Section
      id={ID}
      title={text.title}
      list={rights.users}
      failed={text.failed}
      empty={text.empty}
      said={said}
      action={
        <button
          id="add-user"
          type="button"
          aria-expanded={open.value === ""}
          onClick={() => {
            open.value = open.peek() === "" ? null : "";
          }}
        >
          {text.add}
        </button>
      }
      above={
        open.value === "" && (
          <NewUser rights={rights} onDone={done} onLeave={() => leave("add-user")} />
        )
      }
    >
      {(users) => (
        <ul class="entries">
          {users.map((user) => (
            <li key={user.name}>
              <div class="entry">
                <p>
                  <b>{user.name}</b> <span class="role">{rightsText.roles[user.role]}</span>
                  {user.name === me && <span class="mark">{rightsText.you}</span>}
                </p>
                <p class="dim">
                  {user.last_login_time === null ? (
                    text.noLogin
                  ) : (
                    <Clock at={user.last_login_time} says={text.lastLogin} />
                  )}
                </p>
              </div>
              {open.value === user.name ? (
                <ChangeUser
                  user={user}
                  rights={rights}
                  self={user.name === me}
                  onDone={done}
                  onLeave={() => leave(`change-${user.name}`)}
                />
              ) : (
                <button
                  id={`change-${user.name}`}
                  type="button"
                  onClick={() => {
                    open.value = user.name;
                  }}
                >
                  {rightsText.change}
                  <span class="hidden"> {user.name}</span>
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

interface FormProps {
  rights: Rights;
  onDone: (said: string) => Promise<void>;
  onLeave: () => void;
}

function NewUser({ rights, onDone, onLeave }: FormProps) {
  const name = useSignal("");
  const password = useSignal("");
  const role = useSignal<Role>("viewer");
  const attempt = useAttempt(["name", "role", "password"]);
  const make = () => {
    const found: Record<string, string> = {};
    if (name.peek().trim() === "") found["name"] = rightsText.nameMissing;
    if (password.peek() === "") found["password"] = rightsText.passwordMissing;
    void attempt.go(found, async () => {
      const user = { name: name.peek().trim(), role: role.peek(), password: password.peek() };
      await rights.api.makeUser(user);
      await onDone(text.made(user.name));
    });
  };
  const errors = attempt.errors.value;
  return (
    <Form attempt={attempt} submit={text.make} onSubmit={make} onLeave={onLeave}>
      <TextField id="user-name" label={rightsText.name} value={name} error={errors["name"]} first />
      <RoleField id="user-role" value={role} error={errors["role"]} roles={ROLES} />
      <TextField
        id="user-password"
        label={rightsText.password}
        value={password}
        kind="password"
        autocomplete="new-password"
        error={errors["password"]}
        hint={rightsText.passwordHint}
      />
    </Form>
  );
}

interface ChangeProps extends FormProps {
  user: User;
  self: boolean;
}

function ChangeUser({ user, rights, self, onDone, onLeave }: ChangeProps) {
  const role = useSignal<Role>(user.role);
  const password = useSignal("");
  const attempt = useAttempt(["role", "password"]);
  const save = () =>
    void attempt.go({}, async () => {
      const change: { role?: Role; password?: string } = {};
      if (role.peek() !== user.role) change.role = role.peek();
      if (password.peek() !== "") change.password = password.peek();
      if (Object.keys(change).length === 0) return onLeave();
      await rights.api.changeUser(user.name, change);
      // What this page may show has changed with one's own role.
      if (self) location.reload();
      else await onDone(text.changed(user.name));
    });
  const remove = async () => {
    await rights.api.removeUser(user.name);
    if (self) location.reload();
    else await onDone(text.removed(user.name));
  };
  const errors = attempt.errors.value;
  return (
    <Form
      attempt={attempt}
      submit={rightsText.save}
      onSubmit={save}
      onLeave={onLeave}
      more={
        <Confirm
          label={text.remove}
          about={user.name}
          question={self ? text.removeSelf : text.removeQuestion(user.name)}
          yes={text.removeYes}
          run={remove}
        />
      }
    >
      <RoleField id="change-role" value={role} error={errors["role"]} roles={ROLES} />
      {!self && (
        <TextField
          id="change-password"
          label={rightsText.newPassword}
          value={password}
          kind="password"
          autocomplete="new-password"
          error={errors["password"]}
          hint={password.value === "" ? rightsText.passwordKept : text.passwordEnds}
        />
      )}
    </Form>
  );
}
