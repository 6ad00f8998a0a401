import type { Signal } from "@preact/signals";
import { useReach } from "../state/context.ts";
import { THEMES } from "../state/preferences.ts";
import { text } from "../text/en.ts";

/** How this browser shows things, and who it is signed in as. */
export function SettingsPage() {
  const { hub, preferences } = useReach();
  const words = text.settings;
  const session = hub.session.value;
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{words.title}</h1>
        <p class="facts">{words.lead}</p>
      </header>
      <div class="panels small">
        <section class="panel settings" aria-labelledby="look">
          <header>
            <h2 id="look">{words.look}</h2>
          </header>
          <Choice name="theme" title={words.theme} chosen={preferences.theme} choices={THEMES} />
          <p>
            <a href="/wall">{words.wall}</a> <span class="dim">{words.wallNote}</span>
          </p>
        </section>
        <section class="panel settings" aria-labelledby="account">
          <header>
            <h2 id="account">{words.account}</h2>
          </header>
          <p>{session ? words.signedIn(session.name.replace(/^user:/, ""), session.role) : ""}</p>
          <p class="dim">{words.tokens}</p>
          <code>outpost token create NAME --role viewer</code>
        </section>
      </div>
    </>
  );
}

interface ChoiceProps<Value extends string> {
  name: "theme";
  title: string;
  chosen: Signal<Value>;
  choices: readonly Value[];
}

function Choice<Value extends string>({ name, title, chosen, choices }: ChoiceProps<Value>) {
  const names: Record<string, string> = text.settings.choices[name];
  return (
    <fieldset class="field">
      <legend>{title}</legend>
      <span class="choices">
        {choices.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name={name}
              checked={chosen.value === choice}
              onChange={() => {
                chosen.value = choice;
              }}
            />
            <span>{names[choice] ?? choice}</span>
          </label>
        ))}
      </span>
    </fieldset>
  );
}
