import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { rightsText } from "../text/catalogue.ts";

const text = rightsText.once;

interface Props {
  id: string;
  label: string;
  /** The secret, or what it stands in. */
  value: string;
  note?: string;
  onDone: () => void;
}

/** A secret that is shown this once, selected and ready to be copied. */
export function Once({ id, label, value, note, onDone }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const told = useSignal("");
  useEffect(() => input.current?.select(), []);
  const copy = async () => {
    input.current?.select();
    try {
      // Undefined over plain HTTP from another machine, whatever the types say.
      await navigator.clipboard.writeText(value);
      told.value = text.copied;
    } catch {
      told.value = text.copyByHand;
    }
  };
  return (
    <div class="secret">
      <label for={id}>{label}</label>
      <div class="buttons">
        <input ref={input} id={id} type="text" readOnly value={value} />
        <button type="button" onClick={() => void copy()}>
          {text.copy}
        </button>
        <button type="button" onClick={onDone}>
          {text.done}
        </button>
      </div>
      {note && <p class="dim">{note}</p>}
      <p class="said dim" role="status">
        {told}
      </p>
    </div>
  );
}
