import { useComputed } from "@preact/signals";
import { age, fixed } from "../format/number.ts";
import { clock, hover } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import { keptText as kept, text } from "../text/catalogue.ts";

/** The truth about what is on screen: whether it is live, and if not, since when. */
export function StatusLine() {
  const hub = useHub();
  const status = hub.status.value;
  const heard = useComputed(() => {
    hub.now.value;
    const at = hub.status.value.heard;
    return at > 0 ? text.status.lastHeard(clock(at), age(Date.now() - at)) : text.status.never;
  });
  const rate = useComputed(() => fixed(hub.rate.value, 0));
  const time = useComputed(() => clock(hub.now.value));
  const inFull = useComputed(() => `${text.status.hubTime}: ${hover(hub.now.value)}`);
  const away = status.state !== "live";
  const info = hub.info.value;
  const session = hub.session.value;
  const degraded = info?.health.store_degraded;
  return (
    <footer class="status" data-state={status.state} data-way={status.way ?? "stream"}>
      <span class="state" role="status">
        <span class="dot" aria-hidden="true" />
        <b>{text.status[status.state]}</b>
        {status.way && <span class="warn">{text.status.ways[status.way]}</span>}
        {degraded && <span class="alarm"> {text.status.degraded(degraded)}</span>}
      </span>
      {away ? (
        status.state !== "signed_out" && <span class="figure">{heard}</span>
      ) : (
        <span class="figure">
          <span class="digits">{rate}</span> {text.unit.samplesPerSecond}
        </span>
      )}
      {hub.dropped.value > 0 && (
        <span class="figure alarm">{text.status.dropped(fixed(hub.dropped.value, 0))}</span>
      )}
      {hub.upgraded.value && (
        <span class="figure">
          {kept.upgraded}{" "}
          <button type="button" class="quiet" onClick={() => location.reload()}>
            {kept.reload}
          </button>
        </span>
      )}
      <span class="space" />
      {session && (
        <span class="figure wide">
          {text.status.role(session.name.replace(/^user:/, ""), session.role)}
        </span>
      )}
      {info && <span class="figure wide">{text.status.version(info.version)}</span>}
      <span class="figure" title={inFull}>
        <span class="hidden">{text.status.hubTime} </span>
        <span class="digits">{time}</span>
      </span>
    </footer>
  );
}
