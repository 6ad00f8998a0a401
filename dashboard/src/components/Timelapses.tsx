import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { timelapsesApi } from "../api/recordings.ts";
import { focusOn, Section } from "../settings/Section.tsx";
import { useHub } from "../state/context.ts";
import { listing } from "../state/rights.ts";
import { recordingsText as text } from "../text/catalogue.ts";
import { FilmLine, lengthAndSize } from "./FilmLine.tsx";

const ID = "timelapses";
const words = text.timelapse;

/** A camera's timelapses, a film of each day; a camera that has none and makes none says nothing. */
export function Timelapses({ camera }: { camera: string }) {
  const hub = useHub();
  const api = useMemo(() => timelapsesApi(hub.client, camera), [camera]);
  const list = useMemo(() => listing(() => api.list()), [api]);
  const said = useSignal("");
  const may = hub.session.value?.role !== "viewer";
  useEffect(() => void list.load(), [list]);
  if (!list.failed.value && !said.value && !list.items.value?.length) return null;
  return (
    <Section
      id={ID}
      title={words.title}
      list={list}
      failed={words.failed}
      empty={words.empty}
      said={said}
    >
      {(items) => (
        <ul class="entries">
          {items.map((item) => (
            <FilmLine
              key={item.id}
              film={item}
              kind={words.kind}
              said={item.state === "kept" ? lengthAndSize(item) : words.growing}
              url={api.url(item.id)}
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
