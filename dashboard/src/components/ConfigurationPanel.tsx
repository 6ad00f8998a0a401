import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { configurationText as words } from "../text/catalogue.ts";

type Form = FunctionComponent<{ device: DeviceState }>;

/** Where a board can be configured: a button, which fetches the form's code and opens it. */
export function ConfigurationPanel({ device }: { device: DeviceState }) {
  const hub = useHub();
  const form = useSignal<{ is: Form } | null>(null);
  const failed = useSignal(false);
  const able = device.info.value.commands.some((command) => command.name === "configure");
  if (!able || hub.session.value?.role === "viewer") return null;
  const open = () => {
    failed.value = false;
    import("./Configuration.tsx").then(
      (module) => {
        form.value = { is: module.ConfigurationForm };
      },
      () => {
        failed.value = true;
      },
    );
  };
  const Is = form.value?.is;
  return (
    <section class="panel" aria-labelledby="configuration">
      <header>
        <h2 id="configuration">{words.title}</h2>
      </header>
      {Is ? (
        <Is device={device} />
      ) : (
        <div class="pad">
          <p class="dim">{failed.value ? words.failed : words.intro}</p>
          <button type="button" onClick={open}>
            {failed.value ? words.retry : words.open}
          </button>
        </div>
      )}
    </section>
  );
}
