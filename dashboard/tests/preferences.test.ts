import { expect, test } from "vitest";
import { Preferences } from "../src/state/preferences.ts";

function kept(text: string | null) {
  const store = { text };
  return {
    store,
    getItem: () => store.text,
    setItem: (_key: string, next: string) => {
      store.text = next;
    },
  };
}

test("a theme that was chosen is there again after a reload", () => {
  const storage = kept(null);
  new Preferences(storage).theme.value = "dark";
  expect(new Preferences(storage).theme.value).toBe("dark");
});

test.each(["", "[]", "null", '{"theme":"pink"}', '{"theme":1}'])(
  "what was kept and makes no sense (%s) is as the system",
  (text) => {
    expect(new Preferences(kept(text)).theme.value).toBe("system");
  },
);

test("units and zone outlast a reload, and what makes no sense of them is as sent and the viewer's", () => {
  const storage = kept(null);
  const first = new Preferences(storage);
  first.units.value = { ...first.units.value, temperature: "°F" };
  first.zone.value = "utc";
  expect(new Preferences(storage).units.value.temperature).toBe("°F");
  expect(new Preferences(storage).zone.value).toBe("utc");
  const odd = new Preferences(kept('{"units":{"temperature":"hot","speed":3},"zone":"moon"}'));
  expect(odd.units.value.temperature).toBe("sent");
  expect(odd.zone.value).toBe("viewer");
});

test("nothing is written before something is chosen", () => {
  const storage = kept(null);
  const preferences = new Preferences(storage);
  expect(storage.store.text).toBeNull();
  preferences.theme.value = "light";
  expect(storage.store.text).toContain("light");
});
