import { render } from "preact";
import "./styles/index.css";
import { App } from "./App.tsx";
import { ApiError, Client } from "./api/client.ts";
import { Control, newKey } from "./api/control.ts";
import { Lifeline } from "./api/lifeline.ts";
import { type TabMessage, Tabs } from "./api/tabs.ts";
import { keepDashboard } from "./api/worker.ts";
import { followTheme } from "./charts/theme.ts";
import { locale } from "./format/locale.ts";
import { clock } from "./format/time.ts";
import { followUnits } from "./format/units.ts";
import { followZone } from "./format/zone.ts";
import { ReachContext } from "./state/context.ts";
import { takeEntered } from "./state/entered.ts";
import { Hub } from "./state/hub.ts";
import { rememberHub } from "./state/kept.ts";
import { Memory } from "./state/memory.ts";
import { Preferences } from "./state/preferences.ts";
import { Router } from "./state/router.ts";
import { watchUpgrade } from "./state/upgrade.ts";
import { hangUp, takeWallToken } from "./state/wall.ts";
import { learn, spokenTo } from "./text/language.ts";

const INFO_EVERY_MS = 30_000;

function signedOut(): void {
  tabs.leave();
  hub.status.value = { ...hub.status.peek(), state: "signed_out", since: Date.now() };
}

const entered = takeEntered(location, history);
const wallToken = takeWallToken(location, history);
const client = new Client(signedOut);
const hub = new Hub(client, { state: "connecting", since: Date.now(), heard: 0 });
// A resumed stream replays what was missed, or says `reset`.
const onOpen = (resumed: boolean) => {
  if (!resumed) void hub.load();
  hub.refillFailed();
};
const timers = {
  setTimeout: (run: () => void, ms: number) => window.setTimeout(run, ms),
  clearTimeout: (timer: number) => window.clearTimeout(timer),
};
const channel = new BroadcastChannel("outpost");
const tabs = new Tabs(
  hub.status.peek(),
  (shared) =>
    new Lifeline(
      "/api/v1",
      {
        onEvents: (events, lastId) => shared.passOn(events, lastId),
        onStatus: (status) => shared.passStatus(status),
        onOpen,
      },
      { fetch: (...args) => fetch(...args), now: () => Date.now(), ...timers },
    ),
  {
    onEvent: (event) => hub.take(event),
    onStatus: (status) => {
      hub.status.value = status;
    },
    onOpen,
    onEntered: () => {
      // What is on screen may be another user's, and is not to be kept when the page is left.
      signedOut();
      location.reload();
    },
  },
  { post: (message) => channel.postMessage(message), id: newKey(), ...timers },
);
channel.onmessage = (event: MessageEvent<TabMessage>) => tabs.hear(event.data);
const control = new Control(
  () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/control`, "outpost.v1"),
  (result) => {
    hub.commandNews.value = result;
  },
);

setInterval(() => hub.tick(), 1000);
setInterval(() => {
  if (hub.live.peek() && !document.hidden) void hub.refreshInfo().catch(() => {});
}, INFO_EVERY_MS);
addEventListener("online", () => tabs.nudge());
addEventListener("pagehide", () => tabs.leave());
addEventListener("pageshow", (event) => event.persisted && tabs.start());
document.addEventListener("visibilitychange", () => document.hidden || tabs.nudge());
void open();

/** In tasks of their own: what stands together here holds the page for longer than a frame, waiting for the browser. */
async function open(): Promise<void> {
  await nextTask();
  void ask();
  await nextTask();
  const preferences = await prepare();
  await nextTask();
  // The first dates: the browser reads its tables.
  clock(hub.hubNow());
  await nextTask();
  show(preferences);
  await nextTask();
  const memory = new Memory();
  // Who comes next on a shared tablet sees nothing of who was there before, also where the hub is slow to say who it is.
  if (entered || wallToken !== null) void memory.forget();
  rememberHub(hub, memory);
  keepDashboard();
  const ours = document.querySelector('script[src^="/assets/"]')?.getAttribute("src") ?? null;
  const fetchPage = () => fetch("/", { cache: "no-store" }).then((answer) => answer.text());
  watchUpgrade(hub.epoch, ours, fetchPage, hub.upgraded);
}

/** What comes meanwhile, and a frame that is due, may go first. Not a timer's: those wait, one set by another longer. */
function nextTask(): Promise<void> {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => go();
    port2.postMessage(null);
  });
}

/** First of all: what the hub answers takes longest. */
async function ask(): Promise<void> {
  if (wallToken !== null) {
    // A token that is refused is told by the page that then asks for one.
    await hangUp(client, wallToken).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }
  if (entered) tabs.enter();
  tabs.start();
  // Also before the stream is open there is something to see; where it cannot be opened, the reason.
  void hub.load();
}

/** How this browser shows things, before anything is shown. */
async function prepare(): Promise<Preferences> {
  const preferences = new Preferences(localStorage);
  followTheme(preferences.theme);
  followUnits(preferences.units);
  followZone(preferences.zone);
  const spoken = spokenTo(preferences.language.peek(), navigator.languages);
  locale.value = spoken.locale;
  document.documentElement.lang = await learn(spoken.language);
  return preferences;
}

function show(preferences: Preferences): void {
  const root = document.getElementById("app");
  if (root === null) return;
  render(
    <ReachContext.Provider value={{ hub, control, router: new Router(), preferences }}>
      <App />
    </ReachContext.Provider>,
    root,
  );
}
