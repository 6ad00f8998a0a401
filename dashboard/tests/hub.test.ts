import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, type Client } from "../src/api/client.ts";
import type { Device, LiveSample } from "../src/api/types.ts";
import { Hub } from "../src/state/hub.ts";

const T0 = 1_700_000_000_000;

const device = (more: Partial<Device> = {}): Device => ({
  id: "pico",
  name: "Greenhouse",
  model: "",
  firmware: "",
  link: "serial",
  online: true,
  reason: null,
  last_seen: T0,
  boot_id: null,
  commands: [],
  metrics: [
    {
      name: "t",
      title: "",
      unit: "°C",
      kind: "number",
      interval_ms: 1000,
      decimals: 1,
      last: null,
    },
  ],
  ...more,
});

/** What the hub has stored: the buckets that it answers with, by start. */
let stored: Map<number, number>;
let devices: () => Promise<Device[]>;
let frames: (() => void)[];
let hub: Hub;

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("window", globalThis);
  stored = new Map();
  devices = async () => [device()];
  const client = {
    session: async () => ({ name: "user:admin", role: "admin" }),
    hub: async () => ({ name: "h", version: "1", time: Date.now(), epoch: "e", health: {} }),
    devices: () => devices(),
    cameras: async () => [],
    doubts: async () => ({ rows: [] }),
    grid: async (_names: string[], from: number, to: number) => ({
      rows: [...stored]
        .filter(([time]) => time >= from && time < to)
        .map(([time, value]) => [time, value, value, value, 1]),
    }),
  } as unknown as Client;
  hub = new Hub(client, { state: "live", since: T0, heard: T0 });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = () => vi.advanceTimersByTimeAsync(0);
const take = (type: string, data: unknown) =>
  hub.take({ type, data: JSON.stringify(data), id: "" });
const metric = () => {
  const found = hub.devices.peek().get("pico")?.metric("t");
  if (!found) throw new Error("the metric is not there");
  return found;
};

function draw(): void {
  vi.advanceTimersByTime(400);
  for (let left = 5; left > 0 && frames.length > 0; left--) {
    for (const frame of frames.splice(0)) frame();
  }
}

/** The board takes a sample each second; the store has it, and the stream tells of it unless it is cut. */
function run(from: number, to: number, streamed: boolean): void {
  for (let s = from; s < to; s++) {
    stored.set(T0 + s * 1000, s);
    const sample: LiveSample = ["pico", "t", T0 + s * 1000, s, "good"];
    if (streamed) take("samples", [sample]);
  }
}

test("a window has no hole after a reset: what the stream missed comes from history", async () => {
  await hub.load();
  const feed = metric().feed(600_000, 1000);
  hub.backfill.open(metric(), feed);
  await settle();
  run(0, 20, true);
  run(20, 50, false);
  vi.setSystemTime(T0 + 50_000);
  take("reset", {});
  run(50, 60, true);
  await settle();
  expect(feed.window.buckets().map(([, , , mean]) => mean)).toEqual(
    Array.from({ length: 60 }, (_, s) => s),
  );
});

test("a gap is counted and healed in the same way", async () => {
  await hub.load();
  const feed = metric().feed(600_000, 1000);
  run(0, 5, true);
  run(5, 9, false);
  vi.setSystemTime(T0 + 10_000);
  take("gap", { dropped: 5, samples: 4, events: 1, from: T0 });
  await settle();
  expect(hub.dropped.value).toBe(4);
  expect(feed.window.length).toBe(9);
});

test("what the stream says while the devices are fetched is newer than the answer", async () => {
  let answer: (list: Device[]) => void = () => {};
  devices = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const loading = hub.load();
  await settle();
  take("device", device({ online: false, reason: "unplugged" }));
  answer([device({ online: true })]);
  await loading;
  expect(hub.devices.value.get("pico")?.info.value.online).toBe(false);
});

test("a late sample is drawn, and does not become the value now", async () => {
  await hub.load();
  run(10, 11, true);
  take("samples", [["pico", "t", T0 + 3000, 99, "good"]]);
  draw();
  expect(metric().last.value).toEqual({ value: 10, quality: "good", time: T0 + 10_000 });
});

test("a hundred samples between two frames change the readout once", async () => {
  await hub.load();
  let changes = 0;
  const off = metric().last.subscribe(() => changes++);
  changes = 0;
  run(0, 100, true);
  draw();
  expect(changes).toBe(1);
  expect(metric().last.value?.value).toBe(99);
  off();
});

test("charts keep their metric when the device is born again", async () => {
  await hub.load();
  const before = metric();
  take("device", device({ boot_id: "new", name: "Renamed" }));
  expect(metric()).toBe(before);
  expect(hub.devices.value.get("pico")?.info.value.name).toBe("Renamed");
});

test("samples of a device that is not known yet do no harm", async () => {
  await hub.load();
  take("samples", [["ghost", "t", T0, 1, "good"]]);
  expect(hub.devices.value.has("ghost")).toBe(false);
});

test("freshness: live, stale after three intervals, offline, and stale when the hub is silent", async () => {
  await hub.load();
  run(0, 1, true);
  draw();
  expect(metric().freshness(T0 + 2900, true, true)).toBe("live");
  expect(metric().freshness(T0 + 3100, true, true)).toBe("stale");
  expect(metric().freshness(T0, false, true)).toBe("offline");
  expect(metric().freshness(T0, true, false)).toBe("stale");
});

test("a failed first load says why, and a later one heals it", async () => {
  devices = async () => {
    throw new Error("the store cannot be read");
  };
  await hub.load().catch(() => {});
  expect([hub.loaded.value, hub.error.value]).toEqual(["failed", "the store cannot be read"]);
  devices = async () => [device()];
  await hub.load();
  expect(hub.loaded.value).toBe("ready");
});

const sample = (value: number) => ({
  value,
  quality: "good" as const,
  source_time: T0,
  hub_time: T0,
});

test("what was seen before is shown as old until the hub answers, and then what it lacks is gone", async () => {
  await hub.load();
  hub.take({ type: "samples", data: JSON.stringify([["pico", "t", T0, 21.5, "good"]]), id: "" });
  const seen = hub.seen();
  expect(seen?.devices[0]?.metrics[0]?.last?.value).toBe(21.5);

  const later = new Hub(hub.client, { state: "connecting", since: T0, heard: 0 });
  const gone = device({ id: "gone" });
  if (seen) later.recall({ ...seen, devices: [...seen.devices, gone] });
  expect(later.keptFrom.value).toBe(T0);
  expect(later.heard.value).toBe(false);
  expect([...later.devices.value.keys()].sort()).toEqual(["gone", "pico"]);
  expect(later.devices.value.get("pico")?.metric("t")?.last.value?.value).toBe(21.5);
  expect(later.seen()).toBeNull();

  await later.load();
  expect(later.keptFrom.value).toBeNull();
  expect([...later.devices.value.keys()]).toEqual(["pico"]);
});

test("what was seen before never stands over what the hub said", async () => {
  devices = async () => [
    device({ metrics: [{ ...device().metrics[0], last: sample(3) } as never] }),
  ];
  await hub.load();
  const seen = hub.seen();
  if (seen) hub.recall({ ...seen, devices: [device({ id: "old" })] });
  expect([...hub.devices.value.keys()]).toEqual(["pico"]);
  expect(hub.keptFrom.value).toBeNull();
});

test("a hub that cannot be reached is told from one that refuses", async () => {
  devices = () => Promise.reject(new ApiError(503, "broken"));
  await hub.load();
  expect(hub.unreached.value).toBe(false);
  devices = () => Promise.reject(new ApiError(0, "the hub cannot be reached"));
  await hub.load();
  expect(hub.unreached.value).toBe(true);
});

test("many readouts change over several frames, each of them short", async () => {
  const metrics = Array.from({ length: 100 }, (_, n) => ({
    ...device().metrics[0],
    name: `m${n}`,
  })) as Device["metrics"];
  devices = async () => [device({ metrics })];
  await hub.load();
  take(
    "samples",
    metrics.map(({ name }) => ["pico", name, T0, 7, "good"]),
  );
  let spent = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => spent++);
  const shown = () =>
    hub.devices.value.get("pico")?.metrics.value.filter((one) => one.last.value?.value === 7)
      .length ?? 0;
  for (const frame of frames.splice(0)) frame();
  const first = shown();
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(100);
  for (let left = 50; left > 0 && frames.length > 0; left--) {
    for (const frame of frames.splice(0)) frame();
  }
  expect(shown()).toBe(100);
  clock.mockRestore();
});

test("a device that was removed goes, and one that the hub does not list any more too", async () => {
  devices = async () => [device(), device({ id: "shed" }), device({ id: "attic" })];
  await hub.load();
  hub.take({ type: "removed", data: JSON.stringify({ device: "shed" }), id: "" });
  expect([...hub.devices.value.keys()]).toEqual(["attic", "pico"]);
  devices = async () => [device()];
  await hub.load();
  expect([...hub.devices.value.keys()]).toEqual(["pico"]);
});

test("an answer that is older than a removal brings the device not back, nor ends one born since", async () => {
  let answer = (_: Device[]): void => {};
  devices = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const loading = hub.load();
  await vi.advanceTimersByTimeAsync(0);
  hub.take({ type: "removed", data: JSON.stringify({ device: "shed" }), id: "" });
  hub.take({ type: "device", data: JSON.stringify(device({ id: "attic" })), id: "" });
  answer([device(), device({ id: "shed" })]);
  await loading;
  expect([...hub.devices.value.keys()]).toEqual(["attic", "pico"]);
});
