/** The service worker: the dashboard itself from cache where the hub cannot be reached. Data are never cached here. */

import { cacheName, isPage, keptCaches } from "./plan.ts";

declare const self: ServiceWorkerGlobalScope;
/** What the build made; `vite.config.ts` puts it in. */
declare const __FILES__: readonly string[];
declare const __BUILD__: string;

/** A page that takes longer to come is shown from cache; a link that is that slow is as good as none. */
const PATIENCE_MS = 4000;
const SHELL = "/";

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName(__BUILD__));
      await cache.addAll([SHELL, ...__FILES__]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      const kept = keptCaches(names, __BUILD__);
      await Promise.all(names.filter((name) => !kept.has(name)).map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (isPage(url.pathname)) event.respondWith(page(request));
  } else if (__FILES__.includes(url.pathname) || url.pathname.startsWith("/assets/")) {
    event.respondWith(file(request));
  }
});

/** The page as the hub has it now; the kept one where the hub is away, silent, or a proxy answers in its place. */
async function page(request: Request): Promise<Response> {
  const kept = await caches.match(SHELL, { cacheName: cacheName(__BUILD__) });
  if (kept === undefined) return fetch(request);
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  const answer = await Promise.race([fetch(request).catch(() => null), late]);
  return answer !== null && answer.status < 500 ? answer : kept;
}

/** A file whose name says what is in it. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? fetch(request);
}
