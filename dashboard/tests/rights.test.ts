import { expect, test } from "vitest";
import { ApiError, Client } from "../src/api/client.ts";
import type { Page } from "../src/api/types.ts";
import { browserName, listing, names, person, refusalAt, rightsOf } from "../src/state/rights.ts";

const page = (items: number[], next: string | null = null): Page<number> => ({ items, next });

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Chrome 140 on Linux",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    "Edge 140 on Windows",
  ],
  [
    "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
    "Firefox 143 on Android",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Safari 18 on iPhone",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Safari 18 on Mac",
  ],
  ["curl/8.14.1", "curl/8.14.1"],
  ["", "Unknown browser"],
])("a browser is named by what it says of itself: %s", (agent, name) => {
  expect(browserName(agent)).toBe(name);
});

test("a person stands by name, a program with what tells it apart", () => {
  expect(person("user:eva")).toBe("eva");
  expect(person("token:eva")).toBe("token:eva");
});

test("a refusal stands at the field that the hub names, and else at the form's end", () => {
  expect(refusalAt(new ApiError(409, "taken", "name"), ["name"])).toEqual({ name: "taken" });
  expect(refusalAt(new ApiError(409, "taken", "path"), ["name"])).toEqual({ "": "taken" });
  expect(refusalAt(new TypeError("broken"), ["name"])).toEqual({ "": "broken" });
});

test("the client hands on which field was refused", async () => {
  const answer = { detail: "a password has 12 to 256 characters", parameter: "new", status: 400 };
  const client = new Client(
    () => {},
    async () => new Response(JSON.stringify(answer), { status: 400 }),
  );
  await expect(client.change("POST", "session/password", {})).rejects.toMatchObject({
    status: 400,
    parameter: "new",
    message: answer.detail,
  });
});

test("older ones are put behind those that are there, and a renewed list begins anew", async () => {
  const list = listing<number>(async (cursor) => (cursor ? page([3]) : page([1, 2], "c")));
  await list.load();
  await list.load(list.next.peek());
  expect([list.items.value, list.next.value]).toEqual([[1, 2, 3], null]);
  await list.load();
  expect([list.items.value, list.next.value]).toEqual([[1, 2], "c"]);
});

test("an answer that another question overtook is dropped", async () => {
  const answers: ((page: Page<number>) => void)[] = [];
  const list = listing<number>(() => new Promise((answer) => answers.push(answer)));
  const first = list.load();
  const second = list.load();
  answers[1]?.(page([2]));
  answers[0]?.(page([1]));
  await Promise.all([first, second]);
  expect(list.items.value).toEqual([2]);
});

test("a list that cannot be read says why, and keeps what it showed", async () => {
  let broken = false;
  const list = listing<number>(async () => {
    if (broken) throw new ApiError(503, "the store cannot be read");
    return page([1]);
  });
  await list.load();
  broken = true;
  await list.load();
  expect([list.items.value, list.failed.value]).toEqual([[1], "the store cannot be read"]);
});

test.each([
  ["viewer", ["sessions"]],
  ["admin", ["retention/rules", "security/events", "sessions", "tokens", "users"]],
] as const)("a %s asks for what the role may see and nothing else", async (role, wanted) => {
  const asked: string[] = [];
  const client = new Client(
    () => {},
    async (url) => {
      asked.push(String(url).replace("/api/v1/", "").replace(/\?.*/, ""));
      return new Response(JSON.stringify({ items: [], next: null }));
    },
  );
  await rightsOf(client, role).load();
  expect(asked.sort()).toEqual(wanted);
});

test.each([
  ["", []],
  [" pico-*, front\tshed ", ["pico-*", "front", "shed"]],
])("names stand apart by spaces and commas: %j", (text, expected) => {
  expect(names(text)).toEqual(expected);
});

test("a refusal of one name of several stands at their field", () => {
  const refused = new ApiError(400, "no device", "devices[2]");
  expect(refusalAt(refused, ["name", "devices"])).toEqual({ devices: "no device" });
});
