import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../state/rights.ts";
import { rightsText as text } from "../text/catalogue.ts";

interface Props {
  label: string;
  /** What it is done to, for screen readers. */
  about: string;
  question: string;
  yes: string;
  run: () => Promise<void>;
}

/** A button that asks before it does what cannot be taken back. The focus goes to the way out first. */
export function Confirm({ label, about, question, yes, run }: Props) {
  const asking = useSignal(false);
  const busy = useSignal(false);
  const failed = useSignal("");
  const trigger = useRef<HTMLButtonElement>(null);
  const wayOut = useRef<HTMLButtonElement>(null);
  const opened = useRef(false);
  useEffect(() => {
    if (asking.value) wayOut.current?.focus();
    else if (opened.current) trigger.current?.focus();
    opened.current = asking.value;
  }, [asking.value]);
  const leave = () => {
    asking.value = false;
    failed.value = "";
  };
  const go = async () => {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await run();
    } catch (error) {
      failed.value = words(error);
    } finally {
      busy.value = false;
    }
  };
  if (!asking.value) {
    return (
      <button
        ref={trigger}
        type="button"
        onClick={() => {
          asking.value = true;
        }}
      >
        {label}
        <span class="hidden"> {about}</span>
      </button>
    );
  }
  return (
    <fieldset
      class="ask"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        leave();
      }}
    >
      <legend>{question}</legend>
      <button
        type="button"
        class="grave"
        aria-disabled={busy.value}
        onClick={() => {
          void go();
        }}
      >
        {yes}
      </button>
      <button ref={wayOut} type="button" onClick={leave}>
        {text.leave}
      </button>
      {failed.value && (
        <p class="bad" role="alert">
          {failed.value}
        </p>
      )}
    </fieldset>
  );
}
