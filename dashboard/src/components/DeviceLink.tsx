import { useHub } from "../state/context.ts";
import { deviceUrl } from "../state/router.ts";

/** A device by its name, or its id where it has none or is not known any more; leads to its page. */
export function DeviceLink({ id }: { id: string }) {
  return <a href={deviceUrl(id)}>{useHub().devices.value.get(id)?.info.value.name || id}</a>;
}
