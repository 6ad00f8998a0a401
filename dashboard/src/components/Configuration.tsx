import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Schema } from "../api/types.ts";
import {
  Board,
  type Configuration,
  type Entry,
  type Errors,
  fieldOf,
  finished,
  shownOf,
  withOption,
} from "../state/configuration.ts";
import { useReach } from "../state/context.ts";
import type { DeviceState } from "../state/device.ts";
import { configurationText as words } from "../text/catalogue.ts";
import { Row, SensorForm } from "./SensorForm.tsx";
import "../styles/configuration.css";

type Phase =
  | { is: "loading" | "editing" | "sending" | "restarting" | "trial" | "confirmed" | "unchanged" }
  | { is: "failed" | "refused" | "back"; why: string };

const asError = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The configuration of a board, in force or as it is edited. Its code is loaded when it is opened. */
export function ConfigurationForm({ device }: { device: DeviceState }) {
  const { control } = useReach();
  const board = useMemo(() => new Board(control, device.id), [control, device]);
  const phase = useSignal<Phase>({ is: "loading" });
  const config = useSignal<Configuration>({ sensors: [] });
  const drivers = useSignal<string[]>([]);
  const schemas = useSignal<Record<string, Schema>>({});
  const errors = useSignal<Errors>({});
  const raw = useSignal<string | null>(null);
  const info = device.info.value;

  const learn = async (entries: Entry[]) => {
    for (const { driver } of entries) {
      if (typeof driver !== "string" || !drivers.peek().includes(driver)) continue;
      if (schemas.peek()[driver]) continue;
      const schema = await board.schema(driver);
      schemas.value = { ...schemas.peek(), [driver]: schema };
    }
  };
  const load = async (putBack = false) => {
    phase.value = { is: "loading" };
    errors.value = {};
    raw.value = null;
    try {
      const told = await board.told(putBack);
      drivers.value = await board.drivers();
      config.value = told.configuration;
      await learn(told.configuration.sensors);
      phase.value =
        told.putBack !== null && !putBack
          ? { is: "back", why: told.putBack }
          : { is: told.onTrial ? "trial" : "editing" };
    } catch (error) {
      phase.value = { is: "failed", why: asError(error) };
    }
  };
  useEffect(() => {
    if (info.online && phase.peek().is === "loading") void load();
  }, [board, info.online]);

  // A board that comes back says in its birth whether the change is on trial, holds, or was put back.
  const { boot_id: boot, notice = "", online } = info;
  const sent = useSignal<string | null>(null);
  useEffect(() => {
    if (sent.peek() === null || !online || boot === sent.peek()) return;
    if (notice.includes("on trial")) phase.value = { is: "trial" };
    else {
      sent.value = null;
      if (notice === "") phase.value = { is: "confirmed" };
      else void load();
    }
  }, [boot, notice, online]);

  const change = (next: Configuration) => {
    config.value = next;
    errors.value = {};
    if (!waiting) phase.value = { is: "editing" };
    learn(next.sensors).catch(() => undefined); // without its schema a sensor shows its driver alone
  };
  const apply = async (event: Event) => {
    event.preventDefault();
    if (waiting) return;
    let wanted = finished(config.peek(), schemas.peek());
    if (raw.peek() !== null) {
      try {
        wanted = JSON.parse(raw.peek() ?? "") as Configuration;
      } catch {
        errors.value = { raw: words.notJson };
        return;
      }
    }
    phase.value = { is: "sending" };
    try {
      sent.value = info.boot_id;
      const changed = await board.configure(wanted);
      config.value = { ...wanted, sensors: wanted.sensors ?? [] };
      phase.value = { is: changed ? "restarting" : "unchanged" };
      if (!changed) sent.value = null;
    } catch (error) {
      sent.value = null;
      const { field, words: why } = fieldOf(asError(error));
      errors.value = { [field]: why };
      phase.value = { is: "refused", why: asError(error) };
      document.getElementById(`field-${field}`)?.focus();
    }
  };
  const waiting = ["loading", "sending", "restarting", "trial"].includes(phase.value.is);

  if (phase.value.is === "failed") {
    return (
      <div class="pad" role="alert">
        <p class="note bad">
          {words.failed}: {phase.value.why}
        </p>
        <button type="button" onClick={() => void load()}>
          {words.retry}
        </button>
      </div>
    );
  }
  const sensors = config.value.sensors;
  const set = (index: number, entry: Entry) =>
    change({ ...config.peek(), sensors: sensors.map((one, at) => (at === index ? entry : one)) });
  return (
    <form class="configuration" onSubmit={apply} noValidate aria-busy={waiting}>
      {raw.value === null ? (
        <>
          <div class="options">
            <Text name="name" title={words.name} config={config.value} {...{ errors, change }} />
            <Text
              name="interval_ms"
              title={words.interval}
              config={config.value}
              {...{ errors, change }}
            />
          </div>
          <h3>{words.sensors}</h3>
          {sensors.length === 0 && phase.value.is !== "loading" && <p class="dim">{words.none}</p>}
          {sensors.map((entry, index) => (
            <SensorForm
              key={index}
              index={index}
              entry={entry}
              drivers={drivers.value}
              schema={schemas.value[shownOf(entry.driver)]}
              errors={errors.value}
              onChange={(next) => set(index, next)}
              onRemove={() =>
                change({ ...config.peek(), sensors: sensors.filter((_, at) => at !== index) })
              }
            />
          ))}
          <button
            type="button"
            onClick={() => change({ ...config.peek(), sensors: [...sensors, { driver: "" }] })}
          >
            {words.add}
          </button>
        </>
      ) : (
        <Row id="field-raw" title={words.json} error={errors.value.raw}>
          <textarea
            id="field-raw"
            rows={18}
            spellcheck={false}
            value={raw.value}
            onInput={(event) => {
              raw.value = event.currentTarget.value;
            }}
          />
        </Row>
      )}
      <div class="acts">
        <button type="submit" aria-disabled={waiting || !online}>
          {words.apply}
        </button>
        <button type="button" aria-disabled={waiting} onClick={() => !waiting && void load()}>
          {words.reload}
        </button>
        <button
          type="button"
          onClick={() => {
            if (raw.peek() === null)
              raw.value = JSON.stringify(finished(config.peek(), schemas.peek()), null, 2);
            else {
              try {
                change({ sensors: [], ...JSON.parse(raw.peek() ?? "") });
                raw.value = null;
              } catch {
                errors.value = { raw: words.notJson };
              }
            }
          }}
        >
          {raw.value === null ? words.raw : words.form}
        </button>
      </div>
      <Progress phase={phase.value} offline={!online} onTakeBack={() => void load(true)} />
    </form>
  );
}

interface TextProps {
  name: "name" | "interval_ms";
  title: string;
  config: Configuration;
  errors: { value: Errors };
  change: (next: Configuration) => void;
}

function Text({ name, title, config, errors, change }: TextProps) {
  return (
    <Row id={`field-${name}`} title={title} error={errors.value[name]}>
      <input
        id={`field-${name}`}
        type="text"
        autocomplete="off"
        aria-invalid={errors.value[name] !== undefined}
        value={shownOf(config[name])}
        onInput={(event) =>
          change(withOption(config, name, event.currentTarget.value) as Configuration)
        }
      />
    </Row>
  );
}

interface ProgressProps {
  phase: Phase;
  offline: boolean;
  onTakeBack: () => void;
}

/** pending → restarting → confirmed, or put back with the reason. Its height is kept free. */
function Progress({ phase, offline, onTakeBack }: ProgressProps) {
  const busy = {
    loading: "",
    sending: words.sending,
    restarting: words.restarting,
    trial: words.onTrial,
  };
  return (
    <output class="outcome" data-phase={phase.is} aria-live="polite">
      {phase.is in busy && <span class="pending">{busy[phase.is as keyof typeof busy]}</span>}
      {phase.is === "confirmed" && <b class="good">{words.confirmed}</b>}
      {phase.is === "unchanged" && words.unchanged}
      {phase.is === "refused" && (
        <>
          <b class="bad">{words.refused}</b> {phase.why}
        </>
      )}
      {phase.is === "back" && (
        <>
          <b class="bad">{words.putBack(phase.why)}</b>{" "}
          <button type="button" onClick={onTakeBack}>
            {words.takeBack}
          </button>
        </>
      )}
      {phase.is === "editing" && offline && <span class="dim">{words.offline}</span>}
    </output>
  );
}
