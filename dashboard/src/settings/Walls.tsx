import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Rights, WALL_PREFIX, wallsOf } from "../state/rights.ts";
import { wallLink } from "../state/wall.ts";
import { rightsText, wallText as text } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Confirm } from "./Confirm.tsx";
import { Form, TextField, useAttempt } from "./Form.tsx";
import { focusOn, Section } from "./Section.tsx";

const ID = "walls";

interface Made {
  name: string;
  link: string;
}

/** Displays on a wall, for an admin: each has a token of its own, which reads and does not time out. */
export function Walls({ rights }: { rights: Rights }) {
  const adding = useSignal(false);
  const made = useSignal<Made | null>(null);
  const said = useSignal("");
  const revoke = async (name: string) => {
    await rights.api.revokeToken(WALL_PREFIX + name);
    if (made.peek()?.name === name) made.value = null;
    await rights.load();
    said.value = text.revoked(name);
    focusOn(ID);
  };
  return (
    <Section
      id={ID}
      title={text.title}
      list={wallsOf(rights.tokens)}
      failed={text.failed}
      empty={text.empty}
      said={said}
      action={
        <button
          id="add-wall"
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
          <p class="dim lead">
            {text.lead} <a href="/wall">{text.open}</a>
          </p>
          {made.value && (
            <Link
              key={made.value.link}
              made={made.value}
              onDone={() => {
                made.value = null;
                focusOn(ID);
              }}
            />
          )}
          {adding.value && (
            <NewWall
              rights={rights}
              onMade={(wall) => {
                adding.value = false;
                made.value = wall;
                said.value = "";
                void rights.load();
              }}
              onLeave={() => {
                adding.value = false;
                focusOn("add-wall");
              }}
            />
          )}
        </>
      }
    >
      {(walls) => (
        <ul class="entries">
          {walls.map((wall) => {
            const name = wall.name.slice(WALL_PREFIX.length);
            return (
              <li key={name}>
                <div class="entry">
                  <p>
                    <b>{name}</b>
                  </p>
                  <p class="dim">
                    {wall.last_used_time === null ? (
                      text.notSeen
                    ) : (
                      <Clock at={wall.last_used_time} says={text.lastSeen} />
                    )}
                  </p>
                </div>
                <Confirm
                  label={text.revoke}
                  about={name}
                  question={text.revokeQuestion(name)}
                  yes={text.revokeYes}
                  run={() => revoke(name)}
                />
              </li>
            );
          })}
        </ul>
      )}
    </Section>
  );
}

interface NewProps {
  rights: Rights;
  onMade: (wall: Made) => void;
  onLeave: () => void;
}

function NewWall({ rights, onMade, onLeave }: NewProps) {
  const name = useSignal("");
  const attempt = useAttempt(["name"]);
  const make = () => {
    const wanted = name.peek().trim();
    void attempt.go(wanted === "" ? { name: rightsText.nameMissing } : {}, async () => {
      const token = await rights.api.makeToken({ name: WALL_PREFIX + wanted, role: "viewer" });
      onMade({ name: wanted, link: wallLink(location.origin, token.token) });
    });
  };
  return (
    <Form attempt={attempt} submit={text.make} onSubmit={make} onLeave={onLeave}>
      <TextField
        id="wall-name"
        label={text.name}
        value={name}
        error={attempt.errors.value["name"]}
        hint={text.nameHint}
        first
      />
    </Form>
  );
}

/** The link of a new display, this once. */
function Link({ made, onDone }: { made: Made; onDone: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const told = useSignal("");
  useEffect(() => input.current?.select(), []);
  const copy = async () => {
    input.current?.select();
    try {
      // Undefined over plain HTTP from another machine, whatever the types say.
      await navigator.clipboard.writeText(made.link);
      told.value = text.copied;
    } catch {
      told.value = text.copyByHand;
    }
  };
  return (
    <div class="secret">
      <label for="wall-link">{text.link(made.name)}</label>
      <div class="buttons">
        <input ref={input} id="wall-link" class="mono" type="text" readOnly value={made.link} />
        <button type="button" onClick={() => void copy()}>
          {text.copy}
        </button>
        <button type="button" onClick={onDone}>
          {text.done}
        </button>
      </div>
      <p class="dim">{text.linkNote}</p>
      <p class="said dim" role="status">
        {told}
      </p>
    </div>
  );
}
