import type { Signal } from "@preact/signals";
import { QUANTITIES, type Quantity, UNIT_CHOICES, type UnitChoices } from "../format/units.ts";
import { hubZone, viewerZone, ZONES } from "../format/zone.ts";
import { useReach } from "../state/context.ts";
import { THEMES } from "../state/preferences.ts";
import { lookText as words } from "../text/catalogue.ts";
import { LANGUAGE_CHOICES, LANGUAGES, type LanguageChoice } from "../text/language.ts";

/** How this browser shows things: theme, language, time zone, units. */
export function Look() {
  const { preferences } = useReach();
  const zones = { viewer: viewerZone.value, hub: hubZone.value, utc: "" };
  return (
    <section class="panel settings" aria-labelledby="look">
      <header>
        <h2 id="look">{words.title}</h2>
        <p class="dim">{words.lead}</p>
      </header>
      <div class="look">
        <Choice
          name="theme"
          title={words.theme}
          chosen={preferences.theme}
          choices={THEMES}
          says={(theme) => words.themes[theme]}
        />
        <Choice
          name="language"
          title={words.language}
          chosen={preferences.language}
          choices={LANGUAGE_CHOICES}
          says={languageName}
          onChosen={() => location.reload()}
        />
        <Choice
          name="zone"
          title={words.zone}
          chosen={preferences.zone}
          choices={ZONES}
          says={(zone) => words.zones[zone](zones[zone])}
        />
        <Units units={preferences.units} />
      </div>
    </section>
  );
}

function Units({ units }: { units: Signal<UnitChoices> }) {
  return (
    <fieldset class="field">
      <legend>{words.units}</legend>
      <div class="units">
        {QUANTITIES.map((quantity) => (
          <label key={quantity}>
            <span>{words.quantities[quantity]}</span>
            <select
              value={units.value[quantity]}
              onChange={(event) => {
                units.value = { ...units.peek(), [quantity]: event.currentTarget.value };
              }}
            >
              {UNIT_CHOICES[quantity].map((choice) => (
                <option key={choice} value={choice}>
                  {unitName(quantity, choice)}
                </option>
              ))}
            </select>
          </label>
        ))}
      </div>
      <p class="note">{words.unitsNote}</p>
    </fieldset>
  );
}

function unitName(quantity: Quantity, choice: string): string {
  if (choice === "sent") return words.asSent;
  return quantity === "length" ? (words.lengths[choice] ?? choice) : choice;
}

/** Each in itself: who does not know the one that is spoken finds his own. */
const languageName = (choice: LanguageChoice): string =>
  choice === "system" ? words.languageOfBrowser : LANGUAGES[choice];

interface ChoiceProps<Value extends string> {
  name: string;
  title: string;
  chosen: Signal<Value>;
  choices: readonly Value[];
  says: (choice: Value) => string;
  onChosen?: () => void;
}

function Choice<Value extends string>(props: ChoiceProps<Value>) {
  const { name, title, chosen, choices, says, onChosen } = props;
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
                onChosen?.();
              }}
            />
            <span>{says(choice)}</span>
          </label>
        ))}
      </span>
    </fieldset>
  );
}
