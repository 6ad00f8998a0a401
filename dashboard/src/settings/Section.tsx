import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Notice } from "../components/Notice.tsx";
import type { Listing } from "../state/rights.ts";
import { rightsText } from "../text/catalogue.ts";

interface Props<Item> {
  id: string;
  title: string;
  list: Listing<Item>;
  /** What the reader is told when the list cannot be had. */
  failed: (reason: string) => string;
  empty: string;
  /** What was just done here, for eyes and screen readers. */
  said?: Signal<string>;
  /** Beside the title. */
  action?: ComponentChildren;
  /** Before the list: a form, perhaps. */
  above?: ComponentChildren;
  children: (items: Item[]) => ComponentChildren;
}

/** A list in a panel, with what it says when it is empty or cannot be read. */
export function Section<Item>(props: Props<Item>) {
  const { id, title, list, said } = props;
  const items = list.items.value;
  const reason = list.failed.value;
  return (
    <section class="panel access-list" aria-labelledby={id}>
      <header>
        <h2 id={id} tabIndex={-1}>
          {title}
        </h2>
        {said && (
          <p class="said dim" role="status">
            {said}
          </p>
        )}
        {props.action}
      </header>
      {props.above}
      {reason && (
        <Notice title={props.failed(reason)} tone="error">
          <button type="button" onClick={() => void list.load()}>
            {rightsText.retry}
          </button>
        </Notice>
      )}
      {items?.length === 0 && !reason && <p class="dim pad">{props.empty}</p>}
      {items !== null && items.length > 0 && props.children(items)}
    </section>
  );
}

/** Puts the focus where a removed line was: on its section's title. */
export const focusOn = (id: string): void => document.getElementById(id)?.focus();
