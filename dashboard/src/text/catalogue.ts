import { type Catalogue, en } from "./en.ts";

/** A language, or as much of it as there is: what it leaves out is shown in English. */
export type Translation = Part<Catalogue>;

type Part<Text> = Text extends (...args: never[]) => string
  ? Text
  : Text extends readonly unknown[]
    ? Text
    : Text extends object
      ? { [Key in keyof Text]?: Part<Text[Key]> }
      : Text;

/** Every text on screen, in the language that is spoken. Read it where it is shown, not once before. */
export const text: Catalogue = copied(en);

export const {
  groups: groupText,
  charts: chartText,
  alerts: alertText,
  recordings: recordingsText,
  configuration: configurationText,
  enrolment: enrolmentText,
  firmware: firmwareText,
  retention: retentionText,
  store: storeText,
  kept: keptText,
  keys: keysText,
  look: lookText,
  keeping: keepingText,
  rights: rightsText,
  wall: wallText,
} = text;

/** Put a language in the place of the one that is spoken, before anything is shown. */
export function speak(translation: Translation): void {
  put(text, en);
  put(text, translation);
}

type Texts = Record<string, unknown>;

function isTexts(value: unknown): value is Texts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In place, so that who holds a part of the catalogue holds the new one. */
function put(into: Texts, from: Texts): void {
  for (const [key, value] of Object.entries(from)) {
    const held = into[key];
    if (isTexts(value) && isTexts(held)) put(held, value);
    else if (value !== undefined) into[key] = value;
  }
}

function copied<Text>(from: Text): Text {
  if (!isTexts(from)) return from;
  return Object.fromEntries(Object.entries(from).map(([key, one]) => [key, copied(one)])) as Text;
}
