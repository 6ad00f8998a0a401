import type { ComponentChildren } from "preact";
import type { Layout } from "../state/layout.ts";
import { groupText as words } from "../text/catalogue.ts";

interface Props {
  layout: Layout;
  name: string;
  devices: number;
  offline: number;
  /** Whether it is shown whatever was folded: somebody searches. */
  open: boolean;
  children: () => ComponentChildren;
}

/** A group of devices under its name, which folds it. */
export function DeviceGroup({ layout, name, devices, offline, open, children }: Props) {
  const shown = open || !layout.isFolded(name);
  return (
    <section class="group" aria-label={name}>
      <h2>
        <button
          type="button"
          class="fold"
          aria-expanded={shown}
          disabled={open}
          onClick={() => layout.fold(name, shown)}
        >
          {name}
          <span class="digits dim"> {words.devices(devices)}</span>
          {offline > 0 && <span class="digits warn"> {words.offline(offline)}</span>}
        </button>
      </h2>
      {shown && children()}
    </section>
  );
}
