import { useSignal } from "@preact/signals";
import type { NewToken, Token } from "../api/rights.ts";
import { type Rights, WALL_PREFIX, wallsOf } from "../state/rights.ts";
import { wallLink } from "../state/wall.ts";
import { rightsText, wallText as text } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Form, TextField, useAttempt } from "./Form.tsx";
import { Programs } from "./Programs.tsx";

const nameOf = ({ name }: { name: string }): string => name.slice(WALL_PREFIX.length);

/** Displays on a wall, for an admin: each has a token of its own, which reads and does not time out. */
export function Walls({ rights }: { rights: Rights }) {
  return (
    <Programs
      id="walls"
      words={text}
      rights={rights}
      list={wallsOf(rights.tokens)}
      nameOf={nameOf}
      lead={
        <p class="dim lead">
          {text.lead} <a href="/wall">{text.open}</a>
        </p>
      }
      form={(onMade, onLeave) => <NewWall rights={rights} onMade={onMade} onLeave={onLeave} />}
      once={(made) => ({
        label: text.link(nameOf(made)),
        value: wallLink(location.origin, made.token),
        note: text.linkNote,
      })}
      line={(wall) => <Line wall={wall} />}
    />
  );
}

function Line({ wall }: { wall: Token }) {
  return (
    <>
      <p>
        <b>{nameOf(wall)}</b>
      </p>
      <p class="dim">
        {wall.last_used_time === null ? (
          text.notSeen
        ) : (
          <Clock at={wall.last_used_time} says={text.lastSeen} />
        )}
      </p>
    </>
  );
}

interface NewProps {
  rights: Rights;
  onMade: (wall: NewToken) => void;
  onLeave: () => void;
}

function NewWall({ rights, onMade, onLeave }: NewProps) {
  const name = useSignal("");
  const attempt = useAttempt(["name"]);
  const make = () => {
    const wanted = name.peek().trim();
    void attempt.go(wanted === "" ? { name: rightsText.nameMissing } : {}, async () =>
      onMade(await rights.api.makeToken({ name: WALL_PREFIX + wanted, role: "viewer" })),
    );
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
