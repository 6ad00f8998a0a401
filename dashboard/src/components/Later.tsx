import { type Signal, useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { text } from "../text/en.ts";
import { Notice } from "./Notice.tsx";

interface Props {
  title: string;
  load: () => Promise<FunctionComponent>;
}

/** A page whose code is fetched when it is first asked for. */
export function Later({ title, load }: Props) {
  const page: Signal<{ is: FunctionComponent } | null> = useSignal(null);
  const failed = useSignal(false);
  const ask = () => {
    failed.value = false;
    load().then(
      (is) => {
        page.value = { is };
      },
      () => {
        failed.value = true;
      },
    );
  };
  useEffect(ask, [title]);
  const Is = page.value?.is;
  return (
    <>
      <h1 tabIndex={-1} class={Is ? "page-title" : undefined}>
        {title}
      </h1>
      {failed.value && (
        <Notice title={text.overview.failedTitle} tone="error">
          <button type="button" onClick={ask}>
            {text.overview.retry}
          </button>
        </Notice>
      )}
      {Is ? <Is /> : !failed.value && <p class="dim pad">{text.loading}</p>}
    </>
  );
}
