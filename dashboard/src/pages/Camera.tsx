import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Figures } from "../components/Figures.tsx";
import { Notice } from "../components/Notice.tsx";
import { OverlayChoice } from "../components/OverlayChoice.tsx";
import { VideoOverlay } from "../components/VideoOverlay.tsx";
import { fixed } from "../format/number.ts";
import { useHub } from "../state/context.ts";
import { Overlay } from "../state/overlay.ts";
import { Video } from "../state/video.ts";
import type { VideoFigures } from "../state/videofigures.ts";
import { text } from "../text/catalogue.ts";

/** One camera: video by WebRTC with its state, or what stands in for it with the reason why. */
export function CameraPage({ id }: { id: string }) {
  const hub = useHub();
  const camera = hub.cameras.value.find((candidate) => candidate.id === id);
  if (camera) return <Known key={id} id={id} name={camera.name || id} />;
  const loaded = hub.loaded.value;
  return (
    <>
      <h1 tabIndex={-1}>{id}</h1>
      {loaded === "loading" ? (
        <p class="dim pad">{text.loading}</p>
      ) : (
        <Notice
          title={loaded === "failed" ? text.overview.failedTitle : text.camera.unknownTitle}
          tone="error"
        >
          <p>{loaded === "failed" ? hub.error.value : text.camera.unknown(id)}</p>
          <a href="/">{text.notFound.back}</a>
        </Notice>
      )}
    </>
  );
}

function Known({ id, name }: { id: string; name: string }) {
  const base = `/api/v1/cameras/${encodeURIComponent(id)}`;
  const element = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const video = useSignal<Video | null>(null);
  const hub = useHub();
  const overlay = useMemo(() => new Overlay(id, localStorage), [id]);
  useEffect(() => {
    if (!element.current) return;
    const why = async () => {
      const cameras = await hub.client.cameras().catch(() => []);
      return cameras.find((camera) => camera.id === id)?.error ?? null;
    };
    const playing = new Video(base, element.current, overlay, why);
    video.value = playing;
    void playing.start();
    return () => playing.stop();
  }, [base]);
  const state = video.value?.state.value ?? "connecting";
  const reason = video.value?.reason.value ?? "";
  const fallback = video.value?.fallback;
  const picture = fallback?.picture.value ?? "";
  const words = text.camera;
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{name}</h1>
        <span class={`state ${state === "live" ? "ok" : "warn"}`} role="status" data-video={state}>
          <span class="dot" aria-hidden="true" />
          {text.camera.states[state]}
        </span>
        <span class="actions">
          <a class="button" href={`${base}/snapshot.jpg`} download={`${id}.jpg`}>
            {text.camera.snapshot}
          </a>
          <button type="button" onClick={() => void frame.current?.requestFullscreen?.()}>
            {text.camera.fullscreen}
          </button>
        </span>
      </header>
      <div class="camera-view">
        <div class="screen" ref={frame} data-video={state}>
          <video ref={element} muted playsInline autoplay aria-label={text.camera.alt(name)} />
          {picture !== "" && (
            <img
              src={picture}
              alt={words.alt(name)}
              onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
                fallback?.shown(naturalWidth, naturalHeight)
              }
            />
          )}
          {!["live", "stream", "still", "reconnecting"].includes(state) && (
            <p class="veil dim">{words.states[state]}</p>
          )}
          {state === "live" && <VideoOverlay overlay={overlay} />}
        </div>
        {state !== "live" && state !== "connecting" && (
          <div class="banner warn">
            <p>{words[state](reason, fallback?.reason.value ?? "")}</p>
            <button type="button" onClick={() => void video.peek()?.start()}>
              {text.camera.retry}
            </button>
          </div>
        )}
        <div class="beside">
          <section class="panel" aria-label={text.camera.figures.title}>
            <VideoFacts figures={video.value?.figures.value ?? null} />
          </section>
          <OverlayChoice overlay={overlay} />
        </div>
      </div>
      <FilmsLater camera={id} />
    </>
  );
}

type Is = typeof import("../components/Films.tsx").Films;

/** What is on the disk, whose code comes after the video; without it the rest of the page is whole. */
function FilmsLater({ camera }: { camera: string }) {
  const part = useSignal<{ Is: Is } | null>(null);
  useEffect(() => {
    import("../components/Films.tsx").then(
      (module) => {
        part.value = { Is: module.Films };
      },
      () => {},
    );
  }, []);
  const Is = part.value?.Is;
  return <div class="recordings">{Is && <Is camera={camera} />}</div>;
}

function VideoFacts({ figures }: { figures: VideoFigures | null }) {
  const words = text.camera.figures;
  const say = (value: number | null | undefined, decimals = 0) =>
    value === null || value === undefined ? "–" : fixed(value, decimals);
  return (
    <Figures
      items={[
        {
          title: words.size,
          value: figures ? `${figures.width} × ${figures.height}` : "–",
          unit: "px",
        },
        { title: words.fps, value: say(figures?.fps), unit: "Hz" },
        { title: words.bitrate, value: say(figures?.kbps), unit: "kbit/s" },
        { title: words.rtt, value: say(figures?.rttMs, 1), unit: "ms" },
        { title: words.lost, value: say(figures?.lost) },
        { title: words.dropped, value: say(figures?.dropped) },
        { title: words.codec, value: figures?.codec || "–" },
      ]}
    />
  );
}
