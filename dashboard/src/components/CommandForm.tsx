import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { CommandResult, CommandType } from "../api/types.ts";
import { fixed } from "../format/number.ts";
import { resultText } from "../format/result.ts";
import { clock, hover } from "../format/time.ts";
import { title } from "../format/value.ts";
import { useReach } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { fieldsOf, parse, questionOf, type Raw } from "../state/schema.ts";
import { text } from "../text/catalogue.ts";
import { KeepDesired } from "./DesiredPanel.tsx";
import { FieldInput } from "./FieldInput.tsx";
import { Pending } from "./Pending.tsx";

const TTL_MS = 10_000;

type Outcome =
  | { kind: "idle" }
  | { kind: "pending"; since: number }
  | { kind: "done"; result: CommandResult; tookMs: number; params: Record<string, unknown> }
  | { kind: "refused"; reason: string };

/** A command of a device as a form. Nothing is shown as done before the device answered. */
export function CommandForm({ device, command }: { device: DeviceState; command: CommandType }) {
  const { control } = useReach();
  const fields = useMemo(() => fieldsOf(command.params), [command]);
  const raw = useSignal<Raw>(Object.fromEntries(fields.map((f) => [f.name, f.initial])));
  const errors = useSignal<Record<string, string>>({});
  const outcome = useSignal<Outcome>({ kind: "idle" });
  const id = `command-${command.name}`;
  const pending = outcome.value.kind === "pending";

  const asking = useSignal(false);
  const question = questionOf(command, device.info.value.name || device.id);
  const first = useRef<HTMLButtonElement>(null);

  const cancel = () => {
    asking.value = false;
    requestAnimationFrame(() => first.current?.focus());
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (outcome.peek().kind === "pending") return;
    const parsed = parse(fields, raw.peek());
    errors.value = parsed.errors;
    const wrong = Object.keys(parsed.errors)[0];
    if (wrong !== undefined) {
      document.getElementById(`${id}-${wrong}`)?.focus();
      return;
    }
    if (question !== null && !asking.peek()) {
      asking.value = true;
      return;
    }
    if (asking.peek()) cancel();
    const since = performance.now();
    outcome.value = { kind: "pending", since };
    try {
      const result = await control.send({
        device: device.id,
        command: command.name,
        params: parsed.params,
        ttl_ms: TTL_MS,
      });
      outcome.value = {
        kind: "done",
        result,
        tookMs: performance.now() - since,
        params: parsed.params,
      };
    } catch (error) {
      outcome.value = {
        kind: "refused",
        reason: error instanceof Error ? error.message : String(error),
      };
    }
  };

  return (
    <form
      class="command"
      data-command={command.name}
      onSubmit={submit}
      noValidate
      aria-labelledby={id}
    >
      <h3 id={id} class={fields.length === 0 ? "hidden" : undefined}>
        {title(command)}
      </h3>
      {fields.map((field) => (
        <FieldInput
          key={field.name}
          id={`${id}-${field.name}`}
          field={field}
          value={raw.value[field.name] ?? ""}
          error={errors.value[field.name]}
          onInput={(value) => {
            raw.value = { ...raw.peek(), [field.name]: value };
          }}
        />
      ))}
      {asking.value && question !== null ? (
        <Ask question={question} onCancel={cancel} />
      ) : (
        <button ref={first} type="submit" aria-disabled={pending}>
          {fields.length > 0 ? text.command.send : title(command)}
        </button>
      )}
      <OutcomeLine outcome={outcome.value} device={device.id} command={command.name} />
      {outcome.value.kind === "done" &&
        outcome.value.result.state === "succeeded" &&
        settable(command) && (
          <KeepDesired
            key={outcome.value.result.id}
            device={device.id}
            wanted={{ command: command.name, params: outcome.value.params }}
          />
        )}
    </form>
  );
}

/** Whether a command sets something that lasts; the hub has the same rule. */
const settable = (command: CommandType): boolean =>
  command.params["x-desired"] ?? command.name.startsWith("set_");

/** The question before what cannot be undone. Its safe answer has the focus. */
function Ask({ question, onCancel }: { question: string; onCancel: () => void }) {
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);
  return (
    <fieldset class="ask" onKeyDown={(event) => event.key === "Escape" && onCancel()}>
      <legend>{question}</legend>
      <button type="submit" class="grave">
        {text.command.confirm}
      </button>
      <button ref={safe} type="button" onClick={onCancel}>
        {text.command.cancel}
      </button>
    </fieldset>
  );
}

interface LineProps {
  outcome: Outcome;
  device: string;
  command: string;
}

function OutcomeLine({ outcome, device, command }: LineProps) {
  return (
    <output class="outcome" data-kind={outcome.kind} aria-live="polite">
      {outcome.kind === "pending" && <Pending device={device} command={command} />}
      {outcome.kind === "refused" && (
        <>
          <b class="bad">{text.command.refused}</b> {outcome.reason}
        </>
      )}
      {outcome.kind === "done" && <Answer result={outcome.result} tookMs={outcome.tookMs} />}
    </output>
  );
}

function Answer({ result, tookMs }: { result: CommandResult; tookMs: number }) {
  const good = result.state === "succeeded";
  return (
    <>
      <b class={good ? "good" : "bad"} data-state={result.state}>
        {text.command.states[result.state] ?? result.state}
      </b>{" "}
      <span class="dim digits" title={hover(result.time)}>
        {text.command.took(`${fixed(tookMs, 0)} ms`)}, {clock(result.time)}
      </span>
      {result.error && <span class="detail">{result.error}</span>}
      {good && <span class="detail">{resultText(result.result)}</span>}
    </>
  );
}
