import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { AlertBadge, AlertVoice } from "./components/AlertWatch.tsx";
import { KeptNotice } from "./components/KeptNotice.tsx";
import { KeyHelp } from "./components/KeyHelp.tsx";
import { Later } from "./components/Later.tsx";
import { Notice } from "./components/Notice.tsx";
import { StatusLine } from "./components/StatusLine.tsx";
import { useWall } from "./components/wallDisplay.ts";
import { CameraPage } from "./pages/Camera.tsx";
import { CommandsPage } from "./pages/Commands.tsx";
import { DevicePage } from "./pages/Device.tsx";
import { HealthPage } from "./pages/Health.tsx";
import { Overview } from "./pages/Overview.tsx";
import { SettingsPage } from "./pages/Settings.tsx";
import { SignedOut } from "./pages/SignedOut.tsx";
import { useReach } from "./state/context.ts";
import type { Route } from "./state/router.ts";
import { alertText, text } from "./text/catalogue.ts";

/** The frame around every page: who the hub is, where one can go, and how true the screen is. */
export function App() {
  const { hub, router } = useReach();
  const main = useRef<HTMLElement>(null);
  const route = router.route.value;
  const visits = router.visits.value;
  const state = hub.status.value.state;
  const here = (page: Route["page"]) => (route.page === page ? "yes" : "no");
  const name = hub.info.value?.name ?? text.product;
  useWall(route.page === "wall");
  useEffect(() => {
    const heading = main.current?.querySelector("h1");
    document.title = heading?.textContent ? `${heading.textContent} · ${name}` : name;
    if (visits > 0) heading?.focus({ preventScroll: true });
  }, [route, visits, name, hub.loaded.value]);
  return (
    <div
      class="app"
      data-stream={state}
      data-wall={route.page === "wall"}
      data-kept={hub.keptFrom.value !== null}
    >
      <a class="skip" href="#main">
        {text.skip}
      </a>
      <header class="top" hidden={route.page === "wall"}>
        <a class="hub" href="/">
          <Mark />
          <span>{name}</span>
        </a>
        <nav aria-label={text.nav.label} hidden={state === "signed_out"}>
          <Tab
            href="/"
            here={["device", "camera"].includes(route.page) ? "below" : here("overview")}
          >
            {text.nav.overview}
          </Tab>
          <Tab href="/commands" here={here("commands")}>
            {text.nav.commands}
          </Tab>
          <Tab href="/alerts" here={route.page === "rules" ? "below" : here("alerts")}>
            {alertText.nav}
            <AlertBadge />
          </Tab>
          <Tab href="/health" here={here("health")}>
            {text.nav.health}
          </Tab>
          <Tab href="/settings" here={here("settings")}>
            {text.nav.settings}
          </Tab>
        </nav>
      </header>
      <main id="main" ref={main}>
        <KeptNotice />
        {state === "signed_out" ? (
          <SignedOut wall={route.page === "wall"} />
        ) : (
          <Page route={route} />
        )}
      </main>
      <AlertVoice />
      <StatusLine />
      <KeyHelp />
    </div>
  );
}

const loadAlerts = async () => (await import("./pages/Alerts.tsx")).AlertsPage;
const loadRules = async () => (await import("./pages/Rules.tsx")).RulesPage;

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "overview":
      return <Overview />;
    case "device":
      return <DevicePage id={route.id} />;
    case "camera":
      return <CameraPage id={route.id} />;
    case "commands":
      return <CommandsPage />;
    case "alerts":
      return <Later key="alerts" title={alertText.title} load={loadAlerts} />;
    case "rules":
      return <Later key="rules" title={alertText.rule.title} load={loadRules} />;
    case "health":
      return <HealthPage />;
    case "settings":
      return <SettingsPage />;
    case "wall":
      return <Overview wall />;
    case "unknown":
      return (
        <>
          <h1 tabIndex={-1}>{text.notFound.title}</h1>
          <Notice title={text.notFound.text(route.path)}>
            <a href="/">{text.notFound.back}</a>
          </Notice>
        </>
      );
  }
}

interface TabProps {
  href: string;
  /** Whether this is the page that is shown, or one above it. */
  here: "yes" | "below" | "no";
  children: ComponentChildren;
}

function Tab({ href, here, children }: TabProps) {
  return (
    <a href={href} aria-current={here === "yes" ? "page" : here === "below" ? "true" : undefined}>
      {children}
    </a>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <path
        d="M2 18h7l3.5-11 6 19 4-13 2 5H30"
        fill="none"
        stroke="currentColor"
        stroke-width="2.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
