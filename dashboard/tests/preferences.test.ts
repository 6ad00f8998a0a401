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
