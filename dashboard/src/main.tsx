import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/index.css";
import { App } from "./App.tsx";
import { Client } from "./api/client.ts";
import { Control } from "./api/control.ts";
import { Stream } from "./api/stream.ts";
import { followTheme } from "./charts/theme.ts";
import { ReachContext } from "./state/context.ts";
import { Hub } from "./state/hub.ts";
import { Router } from "./state/router.ts";

const INFO_EVERY_MS = 30_000;
const PATIENCE_MS = 1500;

function signedOut(): void {
  stream.stop();
  hub.status.value = { ...hub.status.peek(), state: "signed_out", since: Date.now() };
}

const client = new Client(signedOut);
const hub = new Hub(client, { state: "connecting", since: Date.now(), heard: 0 });
const stream = new Stream(
  "/api/v1/stream",
  {
    onEvent: (event) => hub.take(event),
    onStatus: (status) => {
      hub.status.value = status;
    },
    // A resumed stream replays what was missed, or says `reset`.
    onOpen: (resumed) => {
      if (!resumed) void hub.load();
    },
  },
  {
    fetch: (...args) => fetch(...args),
    now: () => Date.now(),
    setTimeout: (run, ms) => window.setTimeout(run, ms),
    clearTimeout: (timer) => window.clearTimeout(timer),
  },
);
const control = new Control(
  () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/control`, "outpost.v1"),
  (result) => {
    hub.commandNews.value = result;
  },
);

followTheme();
stream.start();
// Where even the stream cannot be opened, asking plainly brings the reason.
setTimeout(() => hub.loaded.peek() === "loading" && void hub.load(), PATIENCE_MS);
setInterval(() => hub.tick(), 1000);
setInterval(() => {
  if (hub.live.peek() && !document.hidden) void hub.refreshInfo().catch(() => {});
}, INFO_EVERY_MS);
addEventListener("online", () => stream.nudge());
document.addEventListener("visibilitychange", () => document.hidden || stream.nudge());

const root = document.getElementById("app");
if (root) {
  render(
    <ReachContext.Provider value={{ hub, control, router: new Router() }}>
      <App />
    </ReachContext.Provider>,
    root,
  );
}
