import { useSignal } from "@preact/signals";
import type { NewToken, Token, TokenRole } from "../api/rights.ts";
import { names, programsOf, type Rights, TOKEN_ROLES } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Form, RoleField, TextField, useAttempt } from "./Form.tsx";
import { Programs } from "./Programs.tsx";

const text = rightsText.tokens;

/** Programs with a token, for an admin. */
export function Tokens({ rights }: { rights: Rights }) {
  return (
    <Programs
      id="tokens"
      words={text}
      rights={rights}
      list={programsOf(rights.tokens)}
      nameOf={({ name }) => name}
      form={(onMade, onLeave) => <NewTokenForm rights={rights} onMade={onMade} onLeave={onLeave} />}
      once={({ name, token }) => ({ label: text.once(name), value: token })}
      line={(token) => <Line token={token} />}
    />
  );
}

function Line({ token }: { token: Token }) {
  return (
    <>
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
    </>
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
