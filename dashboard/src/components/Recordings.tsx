import "../styles/access.css";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { recordingsApi } from "../api/recordings.ts";
import { focusOn, Section } from "../settings/Section.tsx";
import { useHub } from "../state/context.ts";
import { listing, words } from "../state/rights.ts";
import { recordingsText as text } from "../text/catalogue.ts";
import { FilmLine, lengthAndSize, runningAndSize } from "./FilmLine.tsx";

const ID = "recordings";
/** While one runs, its bytes grow; else a schedule or an alert may begin one. */
const EVERY_MS = { running: 2000, quiet: 15_000 };

/** What a camera recorded: played here, downloaded, deleted; looked at again and again while it is shown. */
export function Recordings({ camera }: { camera: string }) {
  const hub = useHub();
  const api = useMemo(() => recordingsApi(hub.client, camera), [camera]);
  const list = useMemo(() => listing(() => api.list()), [api]);
  const said = useSignal("");
  const running = list.items.value?.filter((item) => item.state === "running") ?? [];
  const commanded = running.find((item) => item.reason === "command");
  const may = hub.session.value?.role !== "viewer";
  useEffect(() => void list.load(), [list]);
  useEffect(() => {
    const every = running.length === 0 ? EVERY_MS.quiet : EVERY_MS.running;
    const timer = setInterval(() => document.hidden || void list.load(), every);
    return () => clearInterval(timer);
  }, [list, running.length === 0]);
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
    commanded === undefined
      ? act(() => api.begin(), text.begun)
      : act(() => api.stop(commanded.id), text.stopped);
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
            {commanded === undefined ? text.record : text.stop}
          </button>
        )
      }
    >
      {(items) => (
        <ul class="entries">
          {items.map((item) => (
            <FilmLine
              key={item.id}
              film={item}
              kind={[text.reasons[item.reason] ?? item.reason, item.rule]
                .filter(Boolean)
                .join(": ")}
              said={item.state === "kept" ? lengthAndSize(item) : runningAndSize(item)}
              url={item.size_bytes > 0 ? api.url(item.id) : null}
              stop={
                may && item.state === "running" && item !== commanded
                  ? () => act(() => api.stop(item.id), text.stopped)
                  : null
              }
              remove={
                may && item.state === "kept"
                  ? async () => {
                      await api.remove(item.id);
                      await list.load();
                      said.value = text.removed;
                      focusOn(ID);
                    }
                  : null
              }
            />
          ))}
        </ul>
      )}
    </Section>
  );
}
