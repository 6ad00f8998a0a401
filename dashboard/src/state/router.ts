import { computed, type ReadonlySignal, signal } from "@preact/signals";

export type Route =
  | { page: "overview" }
  | { page: "device"; id: string }
  | { page: "camera"; id: string }
  | { page: "commands" }
  | { page: "alerts" }
  | { page: "rules" }
  | { page: "health" }
  | { page: "settings" }
  | { page: "wall" }
  | { page: "unknown"; path: string };

/** A path as a page. Pure. */
export function routeOf(path: string): Route {
  const [first = "", second, ...more] = path.replace(/^\/|\/$/g, "").split("/");
  if (more.length > 0) return { page: "unknown", path };
  if (second !== undefined && (first === "devices" || first === "cameras")) {
    const id = decoded(second);
    return id === null
      ? { page: "unknown", path }
      : { page: first === "devices" ? "device" : "camera", id };
  }
  if (second === undefined) {
    if (first === "") return { page: "overview" };
    const plain = (["commands", "alerts", "rules", "health", "settings", "wall"] as const).find(
      (at) => at === first,
    );
    if (plain !== undefined) return { page: plain };
  }
  return { page: "unknown", path };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export const deviceUrl = (id: string): string => `/devices/${encodeURIComponent(id)}`;
export const cameraUrl = (id: string): string => `/cameras/${encodeURIComponent(id)}`;

/** The address bar as a signal. Links of the page stay on the page. */
export class Router {
  private readonly path = signal(location.pathname);
  readonly route: ReadonlySignal<Route> = computed(() => routeOf(this.path.value));
  /** Grows with each change of page that the user asked for, so that focus can follow. */
  readonly visits = signal(0);

  constructor() {
    addEventListener("popstate", () => {
      this.path.value = location.pathname;
    });
    document.addEventListener("click", (event) => this.click(event));
  }

  go(path: string): void {
    if (path === this.path.peek()) return;
    history.pushState(null, "", path);
    this.path.value = path;
    this.visits.value++;
    scrollTo(0, 0);
  }

  private click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) {
      return;
    }
    if (link.pathname.startsWith("/api/") || link.hash) return;
    event.preventDefault();
    this.go(link.pathname);
  }
}
