import { choicesOf, type Field } from "../state/schema.ts";
import { text } from "../text/catalogue.ts";

interface Props {
  id: string;
  field: Field;
  value: string;
  error: string | undefined;
  onInput: (value: string) => void;
}

/** As many choices as fit in a row of buttons; more become a list. */
const BUTTONS = 4;

/** One parameter: its control by its schema, its hint, its error. */
export function FieldInput({ id, field, value, error, onInput }: Props) {
  const note = error ?? field.hint;
  const described = note ? `${id}-note` : undefined;
  const choices = field.control === "choice" || field.control === "boolean" ? choicesOf(field) : [];
  const label = (
    <>
      {field.title}
      {!field.required && <span class="dim"> {text.command.optional}</span>}
    </>
  );
  const noteLine = note && (
    <span id={described} class={error ? "note bad" : "note"}>
      {note}
    </span>
  );
  if (choices.length > 0 && choices.length <= BUTTONS) {
    return (
      <fieldset class="field" aria-describedby={described}>
        <legend>{label}</legend>
        <Choices id={id} field={field} value={value} choices={choices} onInput={onInput} />
        {noteLine}
      </fieldset>
    );
  }
  const shared = {
    id,
    value,
    "aria-invalid": error !== undefined,
    "aria-describedby": described,
    "aria-required": field.required,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {choices.length > 0 ? (
        <select {...shared} onChange={(event) => onInput(event.currentTarget.value)}>
          {!field.required && <option value="">{text.command.unset}</option>}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.title}
            </option>
          ))}
        </select>
      ) : field.control === "json" ? (
        <textarea {...shared} rows={3} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input
          {...shared}
          type="text"
          inputMode={inputMode(field)}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
      {noteLine}
    </div>
  );
}

interface ChoicesProps {
  id: string;
  field: Field;
  value: string;
  choices: { value: string; title: string }[];
  onInput: (value: string) => void;
}

function Choices({ id, field, value, choices, onInput }: ChoicesProps) {
  return (
    <span class="choices">
      {choices.map((choice, at) => (
        <label key={choice.value}>
          <input
            type="radio"
            id={at === 0 ? id : undefined}
            name={id}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onInput(choice.value)}
            onClick={() => !field.required && choice.value === value && onInput("")}
          />
          <span>{choice.title}</span>
        </label>
      ))}
    </span>
  );
}

function inputMode(field: Field): "numeric" | "decimal" | "text" {
  if (field.control === "integer") return (field.schema.minimum ?? -1) >= 0 ? "numeric" : "text";
  return field.control === "number" && (field.schema.minimum ?? -1) >= 0 ? "decimal" : "text";
}
