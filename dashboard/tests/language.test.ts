import { afterEach, expect, test } from "vitest";
import { locale } from "../src/format/locale.ts";
import { fixed } from "../src/format/number.ts";
import { full } from "../src/format/time.ts";
import { chartText, speak, text } from "../src/text/catalogue.ts";
import { de } from "../src/text/de.ts";
import { en } from "../src/text/en.ts";
import { LANGUAGE_CHOICES, LANGUAGES, learn, spokenTo } from "../src/text/language.ts";

afterEach(() => {
  speak({});
  locale.value = undefined;
});

/** Every text's place and how it is filled in: `overview.title: string`, `device.back: function/1`. */
function shape(part: unknown, at = ""): string[] {
  if (typeof part === "function") return [`${at}: function`];
  if (typeof part !== "object" || part === null) return [`${at}: ${typeof part}`];
  return Object.entries(part).flatMap(([key, one]) => shape(one, at ? `${at}.${key}` : key));
}

/** What stands at a place of the catalogue. */
const at = (part: unknown, place: string): unknown =>
  place.split(".").reduce((held, key) => (held as Record<string, unknown>)[key], part);

test("German has each text that English has, and none besides", () => {
  expect(shape(de).sort()).toEqual(shape(en).sort());
});

test("what is typed into a terminal is the same in every language", () => {
  const codes = shape(en).filter((place) => place.endsWith(".code: string"));
  expect(codes.length).toBeGreaterThan(3);
  for (const place of codes.map((one) => one.replace(/: .*/, ""))) {
    expect(at(de, place)).toBe(at(en, place));
  }
});

test("a text that is filled in shows in German all that it shows in English", () => {
  const marks = ["1111", "2222", "3333", "4444"] as const;
  const fill = (words: unknown) => String((words as (...args: string[]) => string)(...marks));
  const taken = (words: unknown) => marks.filter((mark) => fill(words).includes(mark));
  const places = shape(en).filter((one) => one.endsWith("function") && !one.includes(".only"));
  for (const place of places.map((one) => one.replace(/: .*/, ""))) {
    expect([place, ...taken(at(de, place))]).toEqual([place, ...taken(at(en, place))]);
  }
});

test("a text that a language leaves out is shown in English, beside those that it has", () => {
  speak({ chart: { empty: "Rien" }, charts: { legend: { bad: "illisible" } } });
  expect(text.chart.empty).toBe("Rien");
  expect(text.chart.loading).toBe(en.chart.loading);
  expect(chartText.legend).toEqual({ ...en.charts.legend, bad: "illisible" });
});

test("the language that is spoken next leaves nothing of the one before", () => {
  speak(de);
  speak({});
  expect(text.overview.title).toBe(en.overview.title);
  expect(text.keys.groups).toEqual(en.keys.groups);
});

test.each([
  ["system", ["de-AT", "en"], "de", "de-AT"],
  ["system", ["fr-FR", "de"], "de", "de"],
  ["system", ["fr-FR"], "en", "fr-FR"],
  ["system", [], "en", undefined],
  ["de", ["en-GB"], "de", "de"],
  ["en", ["de-DE", "en-IE"], "en", "en-IE"],
] as const)("%s for a browser that asks for %j speaks %s as in %s", (choice, tags, ...spoken) => {
  const [language, written] = spoken;
  expect(spokenTo(choice, tags)).toEqual({ language, locale: written });
});

test("each language that there is can be chosen, and learnt", async () => {
  expect(LANGUAGE_CHOICES).toEqual(["system", ...Object.keys(LANGUAGES)]);
  expect(await learn("de")).toBe("de");
  expect(text.overview.title).toBe("Übersicht");
});

test("numbers and dates are written as the language does", () => {
  locale.value = "de-DE";
  expect(fixed(21.5, 1)).toBe("21,5");
  expect(full(1_790_000_000_000)).toMatch(/^\d\d\.09\.2026, /);
  locale.value = "en-GB";
  expect(fixed(21.5, 1)).toBe("21.5");
});
