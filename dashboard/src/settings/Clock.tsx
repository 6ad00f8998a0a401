import { hover, moment } from "../format/time.ts";
import { useHub } from "../state/context.ts";

/** A moment, in full on hover, within a sentence. */
export function Clock({ at, says }: { at: number; says: (clock: string) => string }) {
  const hub = useHub();
  return (
    <time dateTime={new Date(at).toISOString()} title={hover(at)}>
      {says(moment(at, hub.now.peek()))}
    </time>
  );
}
