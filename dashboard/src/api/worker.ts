/** What Trusted Types (W3C) give a page under the hub's policy; TypeScript's library does not know them yet. */
interface TrustedTypes {
  createPolicy: (
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ) => { createScriptURL: (url: string) => string };
}

const WORKER = "/sw.js";

/** The one script that this page loads by name: everything else the policy of that name refuses. */
function workerUrl(): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined) return WORKER;
  const policy = types.createPolicy("outpost", {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError(`${url} is not the service worker`);
      return url;
    },
  });
  return policy.createScriptURL(WORKER);
}

/**
 * Have the browser keep the dashboard, so that it opens without the hub. Browsers do so over HTTPS and on localhost
 * alone. Waits until the page has nothing better to do.
 */
export function keepDashboard(): void {
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker === undefined || import.meta.env.DEV) return;
  const register = () => {
    // Without a worker all works but the start without the hub: nothing to tell anybody.
    serviceWorker.register(workerUrl(), { updateViaCache: "none" }).catch(() => {});
  };
  const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 2000));
  if (document.readyState === "complete") idle(register);
  else addEventListener("load", () => idle(register), { once: true });
}
