import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Client } from "../api/client.ts";
import type { SessionInfo } from "../api/types.ts";
import { Notice } from "../components/Notice.tsx";
import { Look } from "../settings/Look.tsx";
import { useHub } from "../state/context.ts";
import type { Rights } from "../state/rights.ts";
import { text } from "../text/catalogue.ts";

/** How this browser shows things, and who has access to the hub. */
export function SettingsPage() {
  const hub = useHub();
  const words = text.settings;
  const session = hub.session.value;
  const me = session?.name.replace(/^user:/, "") ?? "";
  const access = useAccess(hub.client, session);
  const Is = access.loaded.value?.module;
  const rights = access.loaded.value?.rights;
  return (
    <>
      <header class="page">
        <h1 tabIndex={-1}>{words.title}</h1>
        <p class="facts">{session && words.signedIn(me, session.role)}</p>
      </header>
      <div class="access">
        <div class="column">
          <Look />
          {Is && rights && <Is.Own rights={rights} me={me} />}
          {access.failed.value && (
            <Notice title={words.codeFailed} tone="error">
              <button type="button" onClick={access.ask}>
                {words.retry}
              </button>
            </Notice>
          )}
          {!Is && !access.failed.value && (
            <p class="dim pad">{hub.keptFrom.value === null ? text.loading : words.needsHub}</p>
          )}
        </div>
        {Is && rights && session?.role === "admin" && <Is.Everybody rights={rights} me={me} />}
      </div>
    </>
  );
}

interface Loaded {
  module: typeof import("../settings/Access.tsx");
  rights: Rights;
}

/** The code of the sections about access, with their first data: all appear at once, so that none moves another. */
function useAccess(client: Client, session: SessionInfo | null) {
  const loaded = useSignal<Loaded | null>(null);
  const failed = useSignal(false);
  const ask = () => {
    if (session === null) return;
    failed.value = false;
    import("../settings/Access.tsx").then(
      async (module) => {
        const rights = module.rightsOf(client, session.role);
        await rights.load();
        loaded.value = { module, rights };
      },
      () => {
        failed.value = true;
      },
    );
  };
  useEffect(ask, [session?.name, session?.role]);
  return { loaded, failed, ask };
}
