import { useEffect, useRef } from "preact/hooks";
import { useReach } from "../state/context.ts";
import { isTyped, Keys } from "../state/keys.ts";
import { keysText as text } from "../text/catalogue.ts";

/** The page's keys, and what `?` shows of them. */
export function KeyHelp() {
  const { router } = useReach();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const keys = new Keys();
    const listen = (event: KeyboardEvent) => {
      const taken = event.ctrlKey || event.metaKey || event.altKey || isTyped(event.target);
      const asked = keys.press({ key: event.key, taken, atMs: event.timeStamp });
      if (asked === null || event.defaultPrevented) return;
      event.preventDefault();
      if (asked === "help") dialog.current?.showModal();
      else router.go(asked.go);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys">
      <header>
        <h2 id="keys">{text.title}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          {text.close}
        </button>
      </header>
      <div class="groups">
        {text.groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map((one) => (
                <div key={one.does}>
                  <dt>
                    {one.keys.map((key, at) => (
                      <span key={key}>
                        {at > 0 && <span class="dim"> {text.followed} </span>}
                        <kbd>{key}</kbd>
                      </span>
                    ))}
                  </dt>
                  <dd>{one.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
