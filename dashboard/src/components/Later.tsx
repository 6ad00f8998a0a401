import type { FunctionComponent } from "preact";
import { text } from "../text/catalogue.ts";
import { Notice } from "./Notice.tsx";
import { useLater } from "./useLater.ts";

interface Props {
  title: string;
  load: () => Promise<FunctionComponent>;
}

/** A page whose code is fetched when it is first asked for. */
export function Later({ title, load }: Props) {
  const { code: Is, failed, ask } = useLater(load, title);
  return (
    <>
      <h1 tabIndex={-1} class="page-title">
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
