import { useEffect, useLayoutEffect } from "preact/hooks";
import { useHub } from "../state/context.ts";
import { fitting } from "../state/wall.ts";

/** As in styles/base.css. */
const BASE_PX = 15;
const LEAST_ZOOM = 1;
const MOST_ZOOM = 4;

/**
 * What makes a page a display: type as large as all devices leave room for, a screen that stays on, and the hub's
 * newer dashboard as soon as it has one.
 */
export function useWall(on: boolean): void {
  const hub = useHub();
  const loading = hub.loaded.value === "loading";
  const devices = hub.devices.value;
  const { state, way } = hub.status.value;
  const metrics = [...devices.values()].reduce((sum, one) => sum + one.metrics.value.length, 0);
  // Before it is painted: nothing is seen to grow.
  useLayoutEffect(() => {
    if (!on || loading) return;
    fill();
    addEventListener("resize", fill);
    return () => {
      removeEventListener("resize", fill);
      const { style, dataset } = document.documentElement;
      style.fontSize = "";
      delete dataset["fitted"];
    };
  }, [
    on,
    loading,
    devices.size,
    metrics,
    hub.cameras.value.length,
    hub.keptFrom.value === null,
    state,
    way,
    hub.dropped.value > 0,
  ]);
  useEffect(() => (on ? stayAwake() : undefined), [on]);
  useEffect(() => {
    if (on && hub.upgraded.value) location.reload();
  }, [on, hub.upgraded.value]);
}

/** Everything is measured in the root's type: with it grows all. */
function fill(): void {
  const page = document.documentElement;
  // It shows no more than fits, and would not make the page wider.
  const status = document.querySelector("footer");
  const set = (zoom: number) => {
    page.style.fontSize = `${BASE_PX * zoom}px`;
  };
  set(
    fitting(
      (zoom) => {
        set(zoom);
        const wide = [page, status].some((part) => part && part.scrollWidth > part.clientWidth);
        return page.scrollHeight <= innerHeight + 1 && !wide;
      },
      LEAST_ZOOM,
      MOST_ZOOM,
    ),
  );
  page.dataset["fitted"] = "";
}

/** Keep the screen on while the page is seen; browsers allow that over HTTPS and on localhost alone. */
function stayAwake(): () => void {
  const { wakeLock } = navigator as { wakeLock?: WakeLock };
  let held: WakeLockSentinel | null = null;
  const ask = () => {
    if (document.hidden || (held !== null && !held.released)) return;
    wakeLock?.request("screen").then(
      (lock) => {
        held = lock;
      },
      () => {
        // A battery that is low, or a system that says no: it is asked again when the page is seen again.
      },
    );
  };
  ask();
  document.addEventListener("visibilitychange", ask);
  return () => {
    document.removeEventListener("visibilitychange", ask);
    void held?.release();
  };
}
