import type { Control } from "../api/control.ts";
import type { Schema } from "../api/types.ts";
import { configurationText as words } from "../text/catalogue.ts";

/** A sensor's entry, and the whole `board.json`. */
export interface Entry extends Record<string, unknown> {
  driver?: unknown;
  name?: unknown;
  prefix?: unknown;
  title?: unknown;
}
export interface Configuration extends Record<string, unknown> {
  sensors: Entry[];
}

export interface Told {
  configuration: Configuration;
  onTrial: boolean;
  /** Why the former one is back; null where it is not. */
  putBack: string | null;
}

/** What the board answers, before it is looked at. */
interface Answer {
  configuration?: Configuration;
  next?: unknown;
  on_trial?: unknown;
  put_back?: unknown;
  drivers?: string[];
  schema?: Schema;
  changed?: unknown;
}

/** By field, as `sensors[1].pin`; `raw` is the whole as JSON. */
export interface Errors extends Record<string, string | undefined> {
  raw?: string | undefined;
}

const TTL_MS = 15_000;

/** The three commands by which a board is configured. */
export class Board {
  private readonly control: Control;
  private readonly device: string;

  constructor(control: Control, device: string) {
    this.control = control;
    this.device = device;
  }

  /** What is in force, or what was put back. It may come in parts. */
  async told(putBack = false): Promise<Told> {
    const params = putBack ? { put_back: true } : {};
    let part = await this.ask("configuration", params);
    const configuration: Configuration = { sensors: [], ...part.configuration };
    const sensors = [...configuration.sensors];
    while (typeof part.next === "number") {
      part = await this.ask("configuration", { ...params, from: part.next });
      sensors.push(...(part.configuration?.sensors ?? []));
    }
    return {
      configuration: { ...configuration, sensors },
      onTrial: part.on_trial === true,
      putBack: typeof part.put_back === "string" ? part.put_back : null,
    };
  }

  async drivers(): Promise<string[]> {
    return (await this.ask("drivers", {})).drivers ?? [];
  }

  async schema(driver: string): Promise<Schema> {
    return (await this.ask("drivers", { driver })).schema ?? {};
  }

  /** Rejects with the board's words: the field, a colon, what is wrong. */
  async configure(configuration: Configuration): Promise<boolean> {
    return (await this.ask("configure", { configuration })).changed === true;
  }

  private async ask(command: string, params: Record<string, unknown>): Promise<Answer> {
    const result = await this.control.send({
      device: this.device,
      command,
      params,
      ttl_ms: TTL_MS,
    });
    if (result.state !== "succeeded") throw new Error(result.error ?? result.state);
    return result.result as Answer;
  }
}

/** Which field an error of the board is about: `sensors[1].pin: is missing`. */
export function fieldOf(error: string): { field: string; words: string } {
  const match = /^((?:sensors\[\d+\](?:\.[a-z0-9_]+)?)|[a-z_]+(?:\.[a-z_]+)?): (.+)$/s.exec(error);
  return match ? { field: match[1] ?? "", words: match[2] ?? "" } : { field: "", words: error };
}

/** What a field's text means by its schema; "" is: not given. Throws the words of what is wrong. */
export function readOption(schema: Schema, given: string): unknown {
  const trimmed = given.trim();
  if (trimmed === "") return undefined;
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.includes("boolean")) return trimmed === "true";
  const number = Number(trimmed.replace(",", "."));
  if (types.includes("integer") && Number.isInteger(number)) return number;
  if (types.includes("number") && Number.isFinite(number)) return number;
  if (types.includes("string")) return trimmed;
  throw new Error(types.includes("integer") ? words.whole : words.number);
}

/** The configuration with what was typed as what it means. What means nothing stays: the board names its field. */
export function finished(config: Configuration, schemas: Record<string, Schema>): Configuration {
  const top: Schema = {
    properties: { name: { type: "string" }, interval_ms: { type: "integer" } },
  };
  return {
    ...(readAll(config, top) as Configuration),
    sensors: config.sensors.map((entry) => readAll(entry, schemas[shownOf(entry.driver)] ?? {})),
  };
}

function readAll(entry: Entry, schema: Schema): Entry {
  const read: Entry = {};
  for (const [name, given] of Object.entries(entry)) {
    const property = schema.properties?.[name];
    let value = given;
    if (property && typeof given === "string") {
      try {
        value = readOption(property, given);
      } catch {
        // see above
      }
    }
    if (value !== undefined) read[name] = value;
  }
  return read;
}

/** A value as its field shows it. */
export const shownOf = (value: unknown): string =>
  value === undefined || value === null
    ? ""
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

/** An entry with one option set or, by undefined, left out. */
export function withOption(entry: Entry, name: string, value: unknown): Entry {
  const { [name]: _, ...rest } = entry;
  return value === undefined ? rest : { ...rest, [name]: value };
}
