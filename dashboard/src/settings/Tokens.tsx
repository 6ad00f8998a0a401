import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { NewToken, TokenRole } from "../api/rights.ts";
import { names, programsOf, type Rights, TOKEN_ROLES } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Confirm } from "./Confirm.tsx";
import { Form, RoleField, TextField, useAttempt } from "./Form.tsx";
import { focusOn, Section } from "./Section.tsx";

const text = rightsText.tokens;
const ID = "tokens";

/** Programs with a token, for an admin. */
export function Tokens({ rights }: { rights: Rights }) {
  const adding = useSignal(false);
  const made = useSignal<NewToken | null>(null);
  const said = useSignal("");
  const revoke = async (name: string) => {
    await rights.api.revokeToken(name);
    if (made.peek()?.name === name) made.value = null;
    await rights.load();
    said.value = text.revoked(name);
    focusOn(ID);
  };
  return (
    <Section
      id={ID}
      title={text.title}
      list={programsOf(rights.tokens)}
      failed={text.failed}
      empty={text.empty}
      said={said}
      action={
        <button
          id="add-token"
          type="button"
          aria-expanded={adding.value}
          onClick={() => {
            adding.value = !adding.peek();
          }}
        >
          {text.add}
        </button>
      }
      above={
        <>
          {made.value && (
            <Secret
              key={made.value.token}
              token={made.value}
              onDone={() => {
                made.value = null;
                focusOn(ID);
              }}
            />
          )}
          {adding.value && (
            <NewTokenForm
              rights={rights}
              onMade={(token) => {
                adding.value = false;
                made.value = token;
                said.value = "";
                void rights.load();
              }}
              onLeave={() => {
                adding.value = false;
                focusOn("add-token");
              }}
            />
          )}
        </>
      }
    >
      {(tokens) => (
        <ul class="entries">
          {tokens.map((token) => (
            <li key={token.name}>
              <div class="entry">
                <p>
                  <b>{token.name}</b> <span class="role">{rightsText.roles[token.role]}</span>
                </p>
                {token.devices.length + token.tags.length > 0 && (
                  <p class="dim">{text.only(token.devices, token.tags)}</p>
                )}
                <p class="dim">
                  {token.last_used_time === null ? (
                    text.noUse
                  ) : (
                    <Clock at={token.last_used_time} says={text.lastUsed} />
                  )}
                </p>
              </div>
              <Confirm
                label={text.revoke}
                about={token.name}
                question={text.revokeQuestion(token.name)}
                yes={text.revokeYes}
                run={() => revoke(token.name)}
              />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

interface NewProps {
  rights: Rights;
  onMade: (token: NewToken) => void;
  onLeave: () => void;
}

function NewTokenForm({ rights, onMade, onLeave }: NewProps) {
  const name = useSignal("");
  const role = useSignal<TokenRole>("viewer");
  const devices = useSignal("");
  const tags = useSignal("");
  const attempt = useAttempt(["name", "role", "devices", "tags"]);
  const make = () => {
    const wanted = {
      name: name.peek().trim(),
      role: role.peek(),
      devices: names(devices.peek()),
      tags: role.peek() === "device" ? [] : names(tags.peek()),
    };
    void attempt.go(wanted.name === "" ? { name: rightsText.nameMissing } : {}, async () =>
      onMade(await rights.api.makeToken(wanted)),
    );
  };
  const errors = attempt.errors.value;
  return (
    <Form attempt={attempt} submit={text.make} onSubmit={make} onLeave={onLeave}>
      <TextField
        id="token-name"
        label={rightsText.name}
        value={name}
        error={errors["name"]}
        first
      />
      <RoleField id="token-role" value={role} error={errors["role"]} roles={TOKEN_ROLES} />
      <TextField
        id="token-devices"
        label={role.value === "device" ? text.device : text.devices}
        value={devices}
        error={errors["devices"]}
        hint={role.value === "device" ? text.deviceHint : text.devicesHint}
        length={2000}
      />
      {role.value !== "device" && (
        <TextField
          id="token-tags"
          label={text.tags}
          value={tags}
          error={errors["tags"]}
          hint={text.tagsHint}
          length={2000}
        />
      )}
    </Form>
  );
}

/** The secret of a new token, this once. */
function Secret({ token, onDone }: { token: NewToken; onDone: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const told = useSignal("");
  useEffect(() => input.current?.select(), []);
  const copy = async () => {
    input.current?.select();
    try {
      // Undefined over plain HTTP from another machine, whatever the types say.
      await navigator.clipboard.writeText(token.token);
      told.value = text.copied;
    } catch {
      told.value = text.copyByHand;
    }
  };
  return (
    <div class="secret">
      <label for="token-secret">{text.once(token.name)}</label>
      <div class="buttons">
        <input
          ref={input}
          id="token-secret"
          class="mono"
          type="text"
          readOnly
          value={token.token}
        />
        <button type="button" onClick={() => void copy()}>
          {text.copy}
        </button>
        <button type="button" onClick={onDone}>
          {text.done}
        </button>
      </div>
      <p class="said dim" role="status">
        {told}
      </p>
    </div>
  );
}
