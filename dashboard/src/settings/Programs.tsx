import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { NewToken, Token } from "../api/rights.ts";
import type { Listing, Rights } from "../state/rights.ts";
import { Confirm } from "./Confirm.tsx";
import { Once } from "./Once.tsx";
import { focusOn, Section } from "./Section.tsx";

interface Words {
  title: string;
  add: string;
  empty: string;
  failed: (reason: string) => string;
  revoke: string;
  revokeQuestion: (name: string) => string;
  revokeYes: string;
  revoked: (name: string) => string;
}

interface Props {
  id: string;
  words: Words;
  rights: Rights;
  list: Listing<Token>;
  /** How it is called here. */
  nameOf: (token: { name: string }) => string;
  lead?: ComponentChildren;
  /** The form for another one. */
  form: (onMade: (made: NewToken) => void, onLeave: () => void) => ComponentChildren;
  /** What is shown of one that was made, this once. */
  once: (made: NewToken) => { label: string; value: string; note?: string };
  /** What is told of one beside its name. */
  line: (token: Token) => ComponentChildren;
}

/** Those that come in by a token: a list of them, one more, and one less. */
export function Programs(props: Props) {
  const { id, words, rights, nameOf } = props;
  const adding = useSignal(false);
  const made = useSignal<NewToken | null>(null);
  const said = useSignal("");
  const addId = `${id}-add`;
  const revoke = async (token: Token) => {
    await rights.api.revokeToken(token.name);
    if (made.peek()?.name === token.name) made.value = null;
    await rights.load();
    said.value = words.revoked(nameOf(token));
    focusOn(id);
  };
  const onMade = (token: NewToken) => {
    adding.value = false;
    made.value = token;
    said.value = "";
    void rights.load();
  };
  const onLeave = () => {
    adding.value = false;
    focusOn(addId);
  };
  return (
    <Section
      id={id}
      title={words.title}
      list={props.list}
      failed={words.failed}
      empty={words.empty}
      said={said}
      action={
        <button
          id={addId}
          type="button"
          aria-expanded={adding.value}
          onClick={() => {
            adding.value = !adding.peek();
          }}
        >
          {words.add}
        </button>
      }
      above={
        <>
          {props.lead}
          {made.value && (
            <Once
              key={made.value.token}
              id={`${id}-secret`}
              {...props.once(made.value)}
              onDone={() => {
                made.value = null;
                focusOn(id);
              }}
            />
          )}
          {adding.value && props.form(onMade, onLeave)}
        </>
      }
    >
      {(tokens) => (
        <ul class="entries">
          {tokens.map((token) => (
            <li key={token.name}>
              <div class="entry">{props.line(token)}</div>
              <Confirm
                label={words.revoke}
                about={nameOf(token)}
                question={words.revokeQuestion(nameOf(token))}
                yes={words.revokeYes}
                run={() => revoke(token)}
              />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
