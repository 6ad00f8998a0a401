import { useSignal } from "@preact/signals";
import { longDuration } from "../format/number.ts";
import { hover, moment } from "../format/time.ts";
import { Confirm } from "../settings/Confirm.tsx";
import { useHub } from "../state/context.ts";
import { size } from "../state/retention.ts";
import { recordingsText as text } from "../text/catalogue.ts";

/** What is told of a recording and of a timelapse alike. */
export interface Film {
  id: string;
  camera: string;
  state: "running" | "kept";
  time: number;
  length_ms: number | null;
  size_bytes: number;
}

/** How long it plays, and what it takes on the disk. */
export function lengthAndSize(film: Film): string {
  const { length_ms: length } = film;
  const played = length === null ? text.cut : longDuration(Math.max(1, length / 1000));
  return `${played}, ${size(film.size_bytes)}`;
}

/** That it is being recorded, and what of it can be played already. */
export function runningAndSize(film: Film): string {
  return film.size_bytes > 0 ? `${text.running}, ${size(film.size_bytes)}` : text.running;
}

interface Props {
  film: Film;
  /** What it is, in a word or two. */
  kind: string;
  said: string;
  /** Where it is had; null while it cannot be played. */
  url: string | null;
  /** Ends it before its time; null where it, or this user, may not. */
  stop?: (() => Promise<void>) | null;
  /** Deletes it; null where it, or this user, may not. */
  remove: (() => Promise<void>) | null;
}

/** A film on the disk: played here, downloaded, deleted. */
export function FilmLine({ film, kind, said, url, stop, remove }: Props) {
  const hub = useHub();
  const playing = useSignal(false);
  const clock = moment(film.time, hub.now.peek());
  return (
    <li>
      <div class="entry">
        <p>
          <time class="digits" title={hover(film.time)}>
            <b>{clock}</b>
          </time>{" "}
          <span class="role">{kind}</span>
        </p>
        <p class={film.state === "kept" ? "dim" : "warn"}>{said}</p>
      </div>
      {stop && (
        <div class="entry-actions">
          <button type="button" onClick={() => void stop()}>
            {text.stop}
            <span class="hidden"> {clock}</span>
          </button>
        </div>
      )}
      {url !== null && (
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
          <a class="button" href={url} download={`${film.camera}-${film.id}.mp4`}>
            {text.download}
            <span class="hidden"> {clock}</span>
          </a>
          {remove && (
            <Confirm
              label={text.remove}
              about={clock}
              question={text.removeQuestion(clock)}
              yes={text.removeYes}
              run={remove}
            />
          )}
        </div>
      )}
      {playing.value && url !== null && (
        <video controls autoplay muted src={url} aria-label={text.playing(clock)} />
      )}
    </li>
  );
}
