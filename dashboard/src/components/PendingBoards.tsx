import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Enrolment } from "../api/enrolments.ts";
import { Confirm } from "../settings/Confirm.tsx";
import { useHub } from "../state/context.ts";
import { words } from "../state/rights.ts";
import { deviceUrl } from "../state/router.ts";
import { enrolmentText as text } from "../text/catalogue.ts";

const AGAIN_MS = 5000;
const SHOWN = 4;

/** Boards that wait to be accepted, and what is refused: on the overview, above all others. */
export function PendingBoards() {
  const hub = useHub();
  const items = hub.enrolments.list.value;
  const waiting = items.length > 0;
  // What they say meanwhile is told by nobody: it is asked for as long as it is looked at.
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => void hub.enrolments.load(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [waiting]);
  return (
    <>
      <Voice />
      {waiting && (
        <section class="panel enrolments" aria-labelledby="enrolments">
          <header>
            <h2 id="enrolments">{text.title}</h2>
          </header>
          <ul>
            {items.map((item) => (
              <Board key={item.device} item={item} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Reads out what comes new. */
function Voice() {
  const hub = useHub();
  const said = useSignal("");
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(
    () =>
      hub.enrolments.list.subscribe((items) => {
        const fresh = items.find((item) => !known.current.has(item.device + item.state));
        known.current = new Set(items.map((item) => item.device + item.state));
        if (fresh) {
          const name = fresh.name || fresh.device;
          said.value = fresh.state === "refused" ? text.announceRefused(name) : text.announce(name);
        }
      }),
    [],
  );
  return (
    <p class="hidden" role="status">
      {said}
    </p>
  );
}

function Board({ item }: { item: Enrolment }) {
  const hub = useHub();
  const refused = item.state === "refused";
  const known = hub.devices.value.get(item.device);
  const name = item.name || known?.info.value.name || item.device;
  const admin = hub.session.value?.role === "admin";
  return (
    <li class="enrolment" data-state={item.state} data-device={item.device}>
      <div>
        <h3>
          {known ? <a href={deviceUrl(item.device)}>{name}</a> : name}{" "}
          <span class="mark">{refused ? text.refused : text.waits}</span>
        </h3>
        <p class="dim">{facts(item)}</p>
        {refused && item.reason && <p class="bad">{text.impostor(item.reason)}</p>}
        {!refused && <Latest item={item} />}
      </div>
      {admin ? <Actions item={item} /> : <p class="dim">{text.viewer}</p>}
    </li>
  );
}

/** What it is, in a line. */
function facts(item: Enrolment): string {
  const { place } = item;
  return [
    item.device,
    place && (item.online ? text.on(place) : text.away(place)),
    item.model,
    item.firmware,
    item.metrics.length > 0 && text.metrics(item.metrics.length),
    item.state === "pending" && text.kept(item.readings_kept),
    item.readings_left > 0 && text.left(item.readings_left),
  ]
    .filter(Boolean)
    .join(" · ");
}

function Latest({ item }: { item: Enrolment }) {
  const shown = Object.entries(item.latest).slice(0, SHOWN);
  if (shown.length === 0) return null;
  return (
    <dl class="saying">
      {shown.map(([metric, value]) => (
        <div key={metric}>
          <dt>{metric}</dt>
          <dd>{value === null ? "–" : String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ item }: { item: Enrolment }) {
  const hub = useHub();
  const failed = useSignal("");
  const busy = useSignal(false);
  const { api } = hub.enrolments;
  // Where the real one is here, a new key would go to that one.
  const real = hub.devices.value.get(item.device)?.info.value;
  const here = real?.online && real.key === "proven";
  const accept = async () => {
    hub.enrolments.take(await api.accept(item.device));
  };
  const reject = async () => {
    hub.enrolments.take(await api.reject(item.device));
  };
  const plainly = async (run: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await run();
    } catch (error) {
      failed.value = words(error);
    } finally {
      busy.value = false;
    }
  };
  const button = (label: string, run: () => Promise<void>, kind = "") => (
    <button type="button" class={kind} aria-disabled={busy.value} onClick={() => void plainly(run)}>
      {label}
      <span class="hidden"> {text.about(item.device)}</span>
    </button>
  );
  return (
    <div class="enrolment-actions">
      {item.state === "refused" ? (
        <>
          {!here && (
            <Confirm
              label={text.renew}
              about={item.device}
              question={text.renewQuestion}
              yes={text.renewYes}
              run={accept}
            />
          )}
          {button(text.dismiss, reject)}
        </>
      ) : (
        <>
          {button(text.accept, accept, "primary")}
          <Confirm
            label={text.reject}
            about={item.device}
            question={text.rejectQuestion}
            yes={text.rejectYes}
            run={reject}
          />
        </>
      )}
      {failed.value && (
        <p class="bad" role="alert">
          {failed.value}
        </p>
      )}
    </div>
  );
}
