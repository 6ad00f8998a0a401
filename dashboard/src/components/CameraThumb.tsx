import { useComputed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { CameraInfo } from "../api/types.ts";
import { useHub } from "../state/context.ts";
import { cameraUrl } from "../state/router.ts";
import { text } from "../text/catalogue.ts";

const EVERY_MS = 10_000;

/** A camera on the overview: a still, now and then; the video is one click away. */
export function CameraThumb({ camera }: { camera: CameraInfo }) {
  const hub = useHub();
  const [turn, setTurn] = useState(0);
  const [failed, setFailed] = useState(false);
  const due = useComputed(() => Math.floor(hub.now.value / EVERY_MS));
  useEffect(() => due.subscribe((slot) => !document.hidden && setTurn(slot)), []);
  const id = `camera-${camera.id}`;
  const name = camera.name || camera.id;
  return (
    <section class="panel camera" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          <a href={cameraUrl(camera.id)}>{name}</a>
        </h2>
        <span class="state dim">{text.camera.title}</span>
      </header>
      <a class="thumb" href={cameraUrl(camera.id)} tabIndex={-1}>
        <img
          src={`/api/v1/cameras/${encodeURIComponent(camera.id)}/snapshot.jpg?at=${turn}`}
          alt={text.camera.alt(name)}
          width="16"
          height="9"
          data-failed={failed}
          onLoad={() => setFailed(false)}
          onError={() => setFailed(true)}
        />
        {failed && <span class="fault">{camera.error ?? text.camera.states.failed}</span>}
      </a>
    </section>
  );
}
