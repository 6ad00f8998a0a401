import { expect, test, vi } from "vitest";
import type { Alert } from "../src/api/alerts.ts";
import type { Client } from "../src/api/client.ts";
import type { CommandRecord } from "../src/api/types.ts";
import { AS_SENT, conversion } from "../src/format/units.ts";
import { Alerts, mergeAlerts } from "../src/state/alerts.ts";
import { draftOf, idOf, inWords, NEW_RULE, restated, ruleOf, unitOf } from "../src/state/rule.ts";
import { mergeNews } from "../src/state/trail.ts";

const alert = (id: string, changes: Partial<Alert> = {}): Alert => ({
  id,
  rule: "hot",
  title: "Hot",
  severity: "warning",
  device: "pico-1",
  metric: "temperature",
  text: "",
  value: 31,
  raised_time: 1000,
  acknowledged_time: null,
  acknowledged_by: null,
  cleared_time: null,
  cleared_why: null,
  ...changes,
});

test("an alert is active until it is cleared, and unseen until it is acknowledged", () => {
  const alerts = new Alerts({} as Client);
  alerts.take(alert("a"));
  alerts.take(alert("b", { raised_time: 2000 }));
  expect(alerts.list.value.map((one) => one.id)).toEqual(["b", "a"]);
  alerts.take(alert("a", { acknowledged_time: 3000 }));
  expect(alerts.unseen.value).toBe(1);
  alerts.take(alert("b", { cleared_time: 4000 }));
  expect(alerts.list.value.map((one) => one.id)).toEqual(["a"]);
});

test("what the stream told while the list was fetched wins", async () => {
  const get = vi.fn(async () => {
    alerts.take(alert("a", { cleared_time: 9 }));
    alerts.take(alert("c"));
    return { items: [alert("a"), alert("b")], next: null };
  });
  const alerts = new Alerts({ get } as unknown as Client);
  await alerts.load();
  expect([...alerts.active.value.keys()].sort()).toEqual(["b", "c"]);
});

test("pages of history join without doubles, the newest state of each", () => {
  const merged = mergeAlerts(
    [alert("a", { cleared_time: 5 }), alert("b")],
    [alert("b", { cleared_time: 7 }), alert("c", { raised_time: 1 })],
  );
  expect(merged.map((one) => [one.id, one.cleared_time])).toEqual([
    ["b", 7],
    ["a", 5],
    ["c", null],
  ]);
});

test("a draft becomes the rule it was made of", () => {
  expect(ruleOf(draftOf(NEW_RULE), [])).toEqual({ rule: NEW_RULE, errors: {} });
});

test("a number is taken with a comma, and what is none is an error of its field", () => {
  const draft = { ...draftOf(NEW_RULE), threshold: "30,5" };
  expect(ruleOf(draft, []).rule.threshold).toBe(30.5);
  expect(Object.keys(ruleOf({ ...draft, threshold: "warm" }, []).errors)).toEqual(["threshold"]);
});

test("a silence sends no threshold, an edge a boolean or a text", () => {
  const silent = { ...draftOf(NEW_RULE), condition: "silent" as const, threshold: "nonsense" };
  expect(ruleOf(silent, [])).toMatchObject({ rule: { threshold: null }, errors: {} });
  const edge = (value: string) =>
    ruleOf({ ...draftOf(NEW_RULE), condition: "becomes", value }, []).rule.value;
  expect([edge("false"), edge("auto")]).toEqual([false, "auto"]);
});

test("a title gives an id that the hub takes", () => {
  expect(idOf("  Too hot, Größe 5! ")).toMatch(/^[a-z0-9][a-z0-9-]*$/);
  expect(idOf("!")).toBe("");
});

test("a rule is said in words", () => {
  expect(inWords({ ...NEW_RULE, hold: "5m" })).toBe("above 30 for 5m");
  expect(inWords({ ...NEW_RULE, threshold: -60.5 })).toBe("above \u221260.5");
  expect(inWords({ ...NEW_RULE, condition: "silent", hold: "10m" })).toBe("silent for 10m");
});

const FAHRENHEIT = conversion("°C", { ...AS_SENT, temperature: "°F" });

test("a threshold is typed in the unit that is shown, and kept in the device's", () => {
  const draft = draftOf(NEW_RULE, FAHRENHEIT);
  expect(draft.threshold).toBe("86");
  expect(ruleOf({ ...draft, threshold: "50" }, [], FAHRENHEIT).rule.threshold).toBe(10);
  expect(inWords(NEW_RULE, FAHRENHEIT)).toBe("above 86\u202f°F");
});

test("a rise and a hysteresis are differences: they have no offset", () => {
  const rises = { ...NEW_RULE, condition: "rises" as const, threshold: 5, hysteresis: 10 };
  const draft = draftOf(rises, FAHRENHEIT);
  expect([draft.threshold, draft.hysteresis]).toEqual(["9", "18"]);
  expect(ruleOf(draft, [], FAHRENHEIT).rule).toMatchObject({ threshold: 5, hysteresis: 10 });
});

test("a number that nobody touched is not rounded by the way through another unit", () => {
  const odd = { ...NEW_RULE, threshold: 21.123456789 };
  const draft = draftOf(odd, FAHRENHEIT);
  expect(ruleOf(draft, [], FAHRENHEIT, odd).rule.threshold).toBe(21.123456789);
});

test("a unit that is known later, or is another's, leaves a draft meaning what it meant", () => {
  const same = { unit: "", by: 1, add: 0 };
  const early = { ...draftOf(NEW_RULE), hysteresis: "5" };
  const late = restated(early, same, FAHRENHEIT);
  expect([late.threshold, late.hysteresis]).toEqual(["86", "9"]);
  expect(restated(late, FAHRENHEIT, same)).toEqual(early);
  expect(restated({ ...early, threshold: "hot" }, same, FAHRENHEIT).threshold).toBe("hot");
});

test("a rule has a unit where all that it watches have the same", () => {
  const metrics = [
    { device: "a", name: "temperature", unit: "°C" },
    { device: "b", name: "temperature", unit: "°C" },
    { device: "b", name: "humidity", unit: "%" },
  ];
  expect(unitOf("*/temperature", metrics)).toBe("°C");
  expect(unitOf("b/*", metrics)).toBe("");
  expect(unitOf("b/hum?dity", metrics)).toBe("%");
  expect(unitOf("[/(", metrics)).toBe("");
});

test("progress that comes late opens no command that has ended", () => {
  const ended: CommandRecord = {
    id: "c",
    device: "d",
    command: "sweep",
    state: "succeeded",
    time: 5,
    result: null,
    error: null,
  };
  const late = { ...ended, state: "sent" as const, progress: { percent: 90, text: "" } };
  expect(mergeNews([ended], late).records[0]?.state).toBe("succeeded");
});
