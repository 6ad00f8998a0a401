import { speak, type Translation } from "./catalogue.ts";

/** The languages that there are, by what they call themselves. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** What may be chosen: `system` is the first that the browser asks for and that there is. */
export type LanguageChoice = "system" | Language;
export const LANGUAGE_CHOICES: readonly LanguageChoice[] = ["system", "en", "de"];

/** Each but English is fetched only where it is spoken. */
const FILES: Record<Exclude<Language, "en">, () => Promise<Translation>> = {
  de: async () => (await import("./de.ts")).de,
};

export interface Spoken {
  language: Language;
  /** How numbers and dates are written: a BCP 47 tag, with the region that the browser asks for. */
  locale: string | undefined;
}

/** What is spoken to somebody whose browser asks for these `tags` (BCP 47), the best first. */
export function spokenTo(choice: LanguageChoice, tags: readonly string[]): Spoken {
  if (choice !== "system") {
    return { language: choice, locale: tags.find((tag) => baseOf(tag) === choice) ?? choice };
  }
  const tag = tags.find((one) => baseOf(one) in LANGUAGES);
  if (tag !== undefined) return { language: baseOf(tag) as Language, locale: tag };
  return { language: "en", locale: tags[0] };
}

/** Speak a language from now on; English where its file does not come. */
export async function learn(language: Language): Promise<Language> {
  if (language === "en") return language;
  try {
    speak(await FILES[language]());
    return language;
  } catch {
    return "en";
  }
}

const baseOf = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";
