import { useSignal } from "@preact/signals";
import { Confirm } from "../settings/Confirm.tsx";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { enrolmentText } from "../text/catalogue.ts";

const text = enrolmentText.key;

/** Whether a board has proved that it is the one that was accepted, and an admin's word on that. */
export function KeyPanel({ device }: { device: DeviceState }) {
  const hub = useHub();
  const said = useSignal("");
  const info = device.info.value;
  if (!info.key) return null;
  const { api } = hub.enrolments;
  const renew = async () => {
    await api.accept(info.id);
    said.value = text.renewed;
  };
  const forget = async () => {
    await api.forget(info.id);
    said.value = text.forgotten;
  };
  const state = info.key === "proven" ? text.provenText : text.noneText;
  return (
    <section class="panel key" aria-labelledby="key">
      <header>
        <h2 id="key">{text.title}</h2>
      </header>
      <div class="pad">
        <p class={info.online && info.key === "none" ? "warn" : "dim"}>
          {info.online ? state : text.offlineText}
        </p>
        {hub.session.value?.role === "admin" ? (
          <div class="enrolment-actions">
            <Confirm
              label={text.renew}
              about=""
              question={text.renewQuestion}
              yes={text.renewYes}
              run={renew}
            />
            <Confirm
              label={text.forget}
              about=""
              question={text.forgetQuestion}
              yes={text.forgetYes}
              run={forget}
            />
          </div>
        ) : (
          <p class="dim">{text.viewer}</p>
        )}
        <p role="status">{said}</p>
      </div>
    </section>
  );
}

/** On a board's page: that it waits again, or that something else says to be it. */
export function KeyBanner({ id }: { id: string }) {
  const hub = useHub();
  const open = hub.enrolments.open.value.get(id);
  if (!open) return null;
  const words =
    open.state === "refused"
      ? enrolmentText.impostorOn(open.place ?? "", open.reason ?? "")
      : enrolmentText.waits;
  return (
    <p class="banner warn" data-enrolment={open.state}>
      {words} <a href="/">{enrolmentText.title}</a>
    </p>
  );
}
