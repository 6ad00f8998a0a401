import type { Schema } from "../api/types.ts";
import { sentence } from "../format/value.ts";
import {
  type Entry,
  type Errors,
  readOption,
  shownOf,
  withOption,
} from "../state/configuration.ts";
import { configurationText as words } from "../text/catalogue.ts";

interface Props {
  index: number;
  entry: Entry;
  drivers: string[];
  /** Of its driver; undefined while it is asked for. */
  schema: Schema | undefined;
  /** By field, as `sensors[1].pin`. */
  errors: Errors;
  onChange: (entry: Entry) => void;
  onRemove: () => void;
}

/** One sensor of a board: its driver, and the options that this driver has. */
export function SensorForm({ index, entry, drivers, schema, errors, onChange, onRemove }: Props) {
  const where = `sensors[${index}]`;
  const driver = shownOf(entry.driver);
  const name = shownOf(entry.title ?? entry.name ?? entry.prefix) || driver || words.choose;
  const properties = Object.entries(schema?.properties ?? {}).filter(([key]) => key !== "driver");
  const required = schema?.required ?? [];
  properties.sort(([a], [b]) => rank(a, required) - rank(b, required));
  return (
    <fieldset class="sensor" id={`field-${where}`}>
      <legend>{words.sensor(index + 1, name)}</legend>
      <div class="options">
        <Row id={`field-${where}.driver`} title={words.driver} error={errors[`${where}.driver`]}>
          <select
            id={`field-${where}.driver`}
            value={driver}
            aria-invalid={errors[`${where}.driver`] !== undefined}
            onChange={(event) => onChange({ ...entry, driver: event.currentTarget.value })}
          >
            {!drivers.includes(driver) && <option value={driver}>{driver || words.choose}</option>}
            {drivers.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Row>
        {properties.map(([key, property]) => (
          <Option
            key={key}
            id={`field-${where}.${key}`}
            name={key}
            schema={property}
            needed={required.includes(key)}
            value={entry[key]}
            error={errors[`${where}.${key}`]}
            onChange={(value) => onChange(withOption(entry, key, value))}
          />
        ))}
      </div>
      {errors[where] && <p class="note bad">{errors[where]}</p>}
      <button type="button" onClick={onRemove} aria-label={words.removeWhich(name)}>
        {words.remove}
      </button>
    </fieldset>
  );
}

const FIRST = ["name", "prefix", "title", "unit"];

/** What must be given first, then what it is called, then the rest as the driver has it. */
function rank(key: string, required: readonly string[]): number {
  if (required.includes(key)) return 0;
  const at = FIRST.indexOf(key);
  return at < 0 ? FIRST.length + 1 : at + 1;
}

interface OptionProps {
  id: string;
  name: string;
  schema: Schema;
  needed: boolean;
  value: unknown;
  error: string | undefined;
  onChange: (value: unknown) => void;
}

function Option({ id, name, schema, needed, value, error, onChange }: OptionProps) {
  const choices = schema.type === "boolean" ? [true, false] : schema.enum;
  const unit = schema.unit ?? "";
  const bare = unit && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name;
  const label = sentence(bare) + (unit ? `, ${unit}` : "");
  const initial = shownOf(schema.default);
  const shared = { id, "aria-invalid": error !== undefined, "aria-required": needed };
  return (
    <Row id={id} title={label} error={error}>
      {choices ? (
        <select
          {...shared}
          value={shownOf(value)}
          onChange={(event) => onChange(readOption(schema, event.currentTarget.value))}
        >
          {(!needed || value === undefined) && <option value="">{initial}</option>}
          {choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type="text"
          autocomplete="off"
          spellcheck={false}
          value={shownOf(value)}
          placeholder={initial}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Row>
  );
}

interface RowProps {
  id: string;
  title: string;
  error: string | undefined;
  children: preact.ComponentChildren;
}

export function Row({ id, title, error, children }: RowProps) {
  return (
    <div class="field">
      <label for={id}>{title}</label>
      {children}
      {error && (
        <span class="note bad" role="alert">
          {error}
        </span>
      )}
    </div>
  );
}
