import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { clockMs, hover } from "../format/time.ts";
import { useHub } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { text } from "../text/catalogue.ts";

/** What the device printed. Stays at the newest line unless the reader scrolled away from it. */
export function Console({ device }: { device: DeviceState }) {
  const hub = useHub();
  const failed = useSignal("");
  const box = useRef<HTMLElement>(null);
  const following = useRef(true);
  useEffect(() => {
    hub.client.console(device.id).then(
      (lines) => device.addLines(lines),
      (error: Error) => {
        failed.value = error.message;
      },
    );
  }, [device]);
  const lines = device.console.value;
  useLayoutEffect(() => {
    if (following.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <section class="panel console" aria-labelledby="console">
      <header>
        <h2 id="console">{text.console.title}</h2>
      </header>
      <section
        ref={box}
        class="lines"
        aria-label={text.console.label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          following.current = at.scrollHeight - at.scrollTop - at.clientHeight < 8;
        }}
      >
        {lines.length === 0 && (
          <p class="dim">{failed.value ? text.console.failed(failed.value) : text.console.empty}</p>
        )}
        {lines.map((line, at) => (
          <p key={`${line.time_ms}-${at}`} data-level={line.level}>
            <time class="dim" title={hover(line.time_ms)}>
              {clockMs(line.time_ms)}
            </time>{" "}
            {line.text}
          </p>
        ))}
      </section>
    </section>
  );
}
