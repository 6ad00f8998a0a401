import "../styles/access.css";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type Recording, recordingsApi } from "../api/recordings.ts";
import { longDuration } from "../format/number.ts";
import { hover, moment } from "../format/time.ts";
import { Confirm } from "../settings/Confirm.tsx";
import { focusOn, Section } from "../settings/Section.tsx";
import { useHub } from "../state/context.ts";
import { size } from "../state/retention.ts";
import { listing, words } from "../state/rights.ts";
import { recordingsText as text } from "../text/recordings.ts";

const ID = "recordings";
const EVERY_MS = 2000;

type Api = ReturnType<typeof recordingsApi>;

/** What a camera recorded: played here, downloaded, deleted; looked at again while one runs. */
export function Recordings({ camera }: { camera: string }) {
  const hub = useHub();
  const api = useMemo(() => recordingsApi(hub.client, camera), [camera]);
  const list = useMemo(() => listing(() => api.list()), [api]);
  const said = useSignal("");
  const running = list.items.value?.find((item) => item.state === "running");
  const may = hub.session.value?.role !== "viewer";
  useEffect(() => void list.load(), [list]);
  useEffect(() => {
    if (running === undefined) return;
    const timer = setInterval(() => document.hidden || void list.load(), EVERY_MS);
    return () => clearInterval(timer);
  }, [running?.id]);
  const act = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      said.value = done;
    } catch (error) {
      said.value = words(error);
    }
    await list.load();
  };
  const toggle = () =>
    running === undefined
      ? act(() => api.begin(), text.begun)
      : act(() => api.stop(running.id), text.stopped);
  return (
    <Section
      id={ID}
      title={text.title}
      list={list}
      failed={text.failed}
      empty={text.empty}
      said={said}
      action={
        may && (
          <button type="button" onClick={() => void toggle()}>
            {running === undefined ? text.record : text.stop}
          </button>
        )
      }
    >
      {(items) => (
        <ul class="entries">
          {items.map((item) => (
            <Line
              key={item.id}
              item={item}
              api={api}
              may={may}
              onRemoved={async () => {
                await list.load();
                said.value = text.removed;
                focusOn(ID);
              }}
            />
          ))}
        </ul>
      )}
    </Section>
  );
}

interface LineProps {
  item: Recording;
  api: Api;
  may: boolean;
  onRemoved: () => Promise<void>;
}

function Line({ item, api, may, onRemoved }: LineProps) {
  const hub = useHub();
  const playing = useSignal(false);
  const clock = moment(item.time, hub.now.peek());
  const kept = item.state === "kept";
  const length =
    item.length_ms === null ? text.cut : longDuration(Math.max(1, item.length_ms / 1000));
  return (
    <li>
      <div class="entry">
        <p>
          <time class="digits" title={hover(item.time)}>
            <b>{clock}</b>
          </time>{" "}
          <span class="role">{text.reasons[item.reason] ?? item.reason}</span>
        </p>
        <p class={kept ? "dim" : "warn"}>
          {kept ? `${length}, ${size(item.size_bytes)}` : text.running}
        </p>
      </div>
      {kept && (
        <div class="entry-actions">
          <button
            type="button"
            aria-expanded={playing.value}
            onClick={() => {
              playing.value = !playing.peek();
            }}
          >
            {playing.value ? text.close : text.play}
            <span class="hidden"> {clock}</span>
          </button>
          <a class="button" href={api.url(item.id)} download={`${item.camera}-${item.id}.mp4`}>
            {text.download}
            <span class="hidden"> {clock}</span>
          </a>
          {may && (
            <Confirm
              label={text.remove}
              about={clock}
              question={text.removeQuestion(clock)}
              yes={text.removeYes}
              run={async () => {
                await api.remove(item.id);
                await onRemoved();
              }}
            />
          )}
        </div>
      )}
      {playing.value && (
        <video controls autoplay muted src={api.url(item.id)} aria-label={text.playing(clock)} />
      )}
    </li>
  );
}
