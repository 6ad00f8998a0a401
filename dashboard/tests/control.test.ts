import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Control } from "../src/api/control.ts";

/** The hub's end of a WebSocket, as the test plays it. */
class Socket {
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly sent: { id: number; method: string; params: Record<string, unknown> }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  breaks(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  says(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify({ jsonrpc: "2.0", ...(message as object) }) });
  }
}

const REQUEST = { device: "pico", command: "led", params: { state: "on" }, ttl_ms: 10_000 };
let sockets: Socket[];
let updates: unknown[];
let control: Control;
const socket = () => sockets.at(-1) as Socket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  sockets = [];
  updates = [];
  control = new Control(
    () => {
      sockets.push(new Socket());
      return socket() as unknown as WebSocket;
    },
    (update) => updates.push(update),
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a command waits for the socket, and resolves with the hub's answer", async () => {
  const sending = control.send(REQUEST);
  expect(socket().sent).toEqual([]);
  socket().opens();
  const [{ id, method, params }] = socket().sent as [Socket["sent"][0]];
  expect(method).toBe("command.send");
  expect(params).toMatchObject(REQUEST);
  socket().says({ id, result: { id: "c1", state: "succeeded" } });
  expect(await sending).toMatchObject({ state: "succeeded" });
});

test("a refusal is an error in the hub's words", async () => {
  const sending = control.send(REQUEST);
  socket().opens();
  socket().says({
    id: socket().sent[0]?.id,
    error: { code: -32602, message: "state: 'x' is wrong" },
  });
  await expect(sending).rejects.toThrow("state: 'x' is wrong");
});

test("a broken socket asks again with the same key, so that the command runs once", async () => {
  const sending = control.send(REQUEST);
  socket().opens();
  const first = socket().sent[0]?.params["key"];
  socket().breaks();
  await vi.advanceTimersByTimeAsync(1000);
  expect(sockets).toHaveLength(2);
  socket().opens();
  expect(socket().sent[0]?.params["key"]).toBe(first);
  socket().says({ id: socket().sent[0]?.id, result: { id: "c1", state: "succeeded" } });
  expect(await sending).toMatchObject({ id: "c1" });
});

test("two commands never share a key", () => {
  void control.send(REQUEST);
  void control.send(REQUEST);
  socket().opens();
  const keys = socket().sent.map(({ params }) => params["key"]);
  expect(new Set(keys).size).toBe(2);
});

test("without an answer in time it is said that there was none", async () => {
  const sending = control.send(REQUEST);
  const caught = sending.catch((error: Error) => error.message);
  socket().opens();
  await vi.advanceTimersByTimeAsync(15_001);
  expect(await caught).toMatch(/did not answer/);
});

test("updates are handed on; an idle broken socket stays closed", async () => {
  void control.send(REQUEST).catch(() => {});
  socket().opens();
  socket().says({ method: "command.update", params: { id: "c1", state: "sent" } });
  expect(updates).toEqual([{ id: "c1", state: "sent" }]);
  socket().says({ id: socket().sent[0]?.id, result: { id: "c1", state: "succeeded" } });
  socket().breaks();
  await vi.advanceTimersByTimeAsync(5000);
  expect(sockets).toHaveLength(1);
});
