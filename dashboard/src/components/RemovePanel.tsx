import { Confirm } from "../settings/Confirm.tsx";
import { useReach } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { text } from "../text/catalogue.ts";

/** For admins, of a device that is gone or cannot say that it is: how it leaves the list. */
export function RemovePanel({ device }: { device: DeviceState }) {
  const { hub, router } = useReach();
  const info = device.info.value;
  // Without a session (MQTT) a device may be online for ever; the hub knows whether it still speaks.
  const session = info.online && !(info.link === "mqtt" && info.boot_id === null);
  if (session || hub.session.value?.role !== "admin") return null;
  const words = text.device.remove;
  const remove = async () => {
    await hub.client.removeDevice(info.id);
    router.go("/");
  };
  return (
    <section class="panel" aria-labelledby="remove">
      <header>
        <h2 id="remove">{words.title}</h2>
      </header>
      <div class="pad">
        <p class="dim">{words.about}</p>
        <div class="enrolment-actions">
          <Confirm
            label={words.button}
            about=""
            question={words.question(info.name || info.id)}
            yes={words.yes}
            run={remove}
          />
        </div>
      </div>
    </section>
  );
}
