import { expect, test } from "vitest";
import { ApiError, Client, problem } from "../src/api/client.ts";
import { parseExposition, quantileBound, total } from "../src/api/prometheus.ts";
import { iceServers } from "../src/api/whep.ts";
import { routeOf } from "../src/state/router.ts";
import { joined, mergeNews } from "../src/state/trail.ts";

test("an exposition becomes names, labels and values", () => {
  const all = parseExposition(
    '# HELP a b\n# TYPE a gauge\na 1\nb{x="1",y="q\\"\\\\n"} 2.5e3\nb{x="2"} +Inf\nnot a line at all\n',
  );
  expect(total(all, "a")).toBe(1);
  expect(all.get("b")).toEqual([
    { labels: { x: "1", y: 'q"\\n' }, value: 2500 },
    { labels: { x: "2" }, value: Number.POSITIVE_INFINITY },
  ]);
  expect(total(all, "missing")).toBeNull();
});

test("a quantile's bound is the first bucket that holds it", () => {
  const all = parseExposition(
    'h_bucket{le="0.1"} 98\nh_bucket{le="0.5"} 99\nh_bucket{le="+Inf"} 100\n',
  );
  expect(quantileBound(all, "h", 0.99)).toBe(0.5);
  expect(quantileBound(all, "h", 0.5)).toBe(0.1);
  expect(quantileBound(new Map(), "h", 0.5)).toBeNull();
});

test("ICE servers are read from Link headers, others are not", () => {
  expect(
    iceServers(
      '<stun:a.example:3478>; rel="ice-server", <turn:b.example?transport=udp>; rel="ice-server"; username="u"; credential="p", <https://x>; rel="next"',
    ),
  ).toEqual([
    { urls: "stun:a.example:3478" },
    { urls: "turn:b.example?transport=udp", username: "u", credential: "p" },
  ]);
  expect(iceServers(null)).toEqual([]);
});

test("paths are pages; what cannot be decoded is none", () => {
  expect(routeOf("/")).toEqual({ page: "overview" });
  expect(routeOf("/devices/a%2Fb")).toEqual({ page: "device", id: "a/b" });
  expect(routeOf("/cameras/front/")).toEqual({ page: "camera", id: "front" });
  expect(routeOf("/devices/%E0%A4%A").page).toBe("unknown");
  expect(routeOf("/commands/x").page).toBe("unknown");
});

const record = { id: "1", device: "d", command: "c", result: null, error: null };

test("a state change lands on its record and keeps what the stream does not tell", () => {
  const known = { ...record, state: "sent" as const, time: 5, caller: "user:admin" };
  const { records, isNew } = mergeNews([known], { ...record, state: "succeeded", time: 9 });
  expect(isNew).toBe(false);
  expect(records).toEqual([{ ...known, state: "succeeded", time: 9 }]);
});

test("an older state never wins, and a new command comes on top", () => {
  const done = { ...record, state: "succeeded" as const, time: 9 };
  expect(mergeNews([done], { ...record, state: "sent", time: 5 }).records).toEqual([done]);
  const added = mergeNews([done], { ...record, id: "2", state: "queued", time: 10 });
  expect(added.isNew).toBe(true);
  expect(added.records.map(({ id }) => id)).toEqual(["2", "1"]);
});

test("a page joins the trail: each command once, as fetched, newest first", () => {
  const at = (id: string, created_time: number, caller?: string) => ({
    ...record,
    id,
    state: "succeeded" as const,
    time: created_time,
    created_time,
    ...(caller && { caller }),
  });
  const trail = joined([at("3", 30), at("1", 10)], [at("2", 20), at("3", 30, "user:admin")]);
  expect(trail.map(({ id }) => id)).toEqual(["3", "2", "1"]);
  expect(trail[0]?.caller).toBe("user:admin");
});

test("an error speaks with the problem document's words, or with the status", async () => {
  const document = new Response('{"title":"Bad","detail":"`points`: not a number"}', {
    status: 400,
  });
  expect(await problem(document)).toBe("`points`: not a number");
  expect(await problem(new Response("<html>", { status: 502, statusText: "Bad Gateway" }))).toBe(
    "502 Bad Gateway",
  );
});

test("401 is told once to the page, and still is an error", async () => {
  let told = 0;
  const client = new Client(
    () => told++,
    async () => new Response("{}", { status: 401 }),
  );
  await expect(client.hub()).rejects.toBeInstanceOf(ApiError);
  expect(told).toBe(1);
});

test("a list is followed to its last page", async () => {
  const asked: string[] = [];
  const client = new Client(
    () => {},
    async (url) => {
      asked.push(String(url));
      const first = asked.length === 1;
      return Response.json({ items: [{ id: first ? "a" : "b" }], next: first ? "c+1" : null });
    },
  );
  expect((await client.devices()).map(({ id }) => id)).toEqual(["a", "b"]);
  expect(asked).toEqual(["/api/v1/devices", "/api/v1/devices?cursor=c%2B1"]);
});

test("a hub that cannot be reached is an error with status 0", async () => {
  const client = new Client(
    () => {},
    async () => {
      throw new TypeError("Failed to fetch");
    },
  );
  await expect(client.hub()).rejects.toMatchObject({
    status: 0,
    message: "the hub cannot be reached",
  });
});
