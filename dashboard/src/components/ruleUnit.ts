import { type Conversion, shownAs, spelt } from "../format/units.ts";
import type { Hub } from "../state/hub.ts";
import { unitOf } from "../state/rule.ts";

/** In which unit the thresholds of a rule are shown and typed here. */
export function ruleUnit(hub: Hub, source: string): Conversion {
  const metrics = [...hub.devices.value.values()].flatMap((device) =>
    device.metrics.value.map((metric) => {
      const { name, unit } = metric.meta.value;
      return { device: device.id, name, unit };
    }),
  );
  const to = shownAs(unitOf(source, metrics));
  return { ...to, unit: spelt(to.unit) };
}
