import { useSignal } from "@preact/signals";
import type { OpenSession } from "../api/rights.ts";
import { browserName, type Rights } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";
import { Clock } from "./Clock.tsx";
import { Confirm } from "./Confirm.tsx";
import { focusOn, Section } from "./Section.tsx";

const text = rightsText.sessions;
const ID = "sessions";

/** Browsers that are logged in: one's own, for an admin everybody's. */
export function Sessions({ rights, me }: { rights: Rights; me: string }) {
  const said = useSignal("");
  const end = async (session: OpenSession) => {
    await rights.api.endSession(session.id);
    await rights.load();
    said.value = text.ended;
    focusOn(ID);
  };
  return (
    <Section
      id={ID}
      title={text.title}
      list={rights.sessions}
      failed={text.failed}
      empty={text.empty}
      said={said}
    >
      {(sessions) => (
        <ul class="entries">
          {sessions.map((session) => {
            const browser = browserName(session.user_agent);
            return (
              <li key={session.id}>
                <div class="entry">
                  <p title={session.user_agent}>
                    <b>{browser}</b>{" "}
                    {session.name !== me && <span class="role">{session.name}</span>}
                    {session.current && <span class="mark">{text.here}</span>}
                  </p>
                  <p class="dim">
                    <Clock at={session.last_used_time} says={text.lastUsed} />,{" "}
                    <Clock at={session.created_time} says={text.began} />
                  </p>
                </div>
                {session.current ? (
                  <Confirm
                    label={text.logOut}
                    about=""
                    question={text.logOutQuestion}
                    yes={text.logOutYes}
                    run={rights.api.logOut}
                  />
                ) : (
                  <Confirm
                    label={text.end}
                    about={`${session.name}, ${browser}`}
                    question={text.endQuestion(browser)}
                    yes={text.endYes}
                    run={() => end(session)}
                  />
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Section>
  );
}
