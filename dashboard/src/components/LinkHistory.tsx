import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { text } from "../text/catalogue.ts";

/** The link's figures of the last day; charts and data are fetched when it is opened. */
export function LinkHistory({ device }: { device: string }) {
  const Charts = useSignal<ComponentType<{ device: string }> | null>(null);
  const failed = useSignal("");
  const open = async () => {
    try {
      Charts.value = (await import("../charts/LinkCharts.tsx")).LinkCharts;
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <details
      class="linkhistory"
      onToggle={(event) => {
        if (event.currentTarget.open) void open();
      }}
    >
      <summary>{text.link.history}</summary>
      {failed.value ? (
        <p class="bad pad">{text.link.historyFailed(failed.value)}</p>
      ) : Charts.value ? (
        <Charts.value device={device} />
      ) : (
        <p class="dim pad">{text.link.historyLoading}</p>
      )}
    </details>
  );
}
