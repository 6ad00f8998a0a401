import { type Signal, useSignal } from "@preact/signals";
import { hover, moment } from "../format/time.ts";
import { fromInput, toInput } from "../format/zone.ts";
import { QUALITY_SPAN_MS } from "../state/backfill.ts";
import { useHub } from "../state/context.ts";
import {
  LEAST_SPAN_MS,
  liveView,
  panned,
  RANGES_MS,
  type View,
  viewOf,
  zoomed,
} from "../state/view.ts";
import { text } from "../text/catalogue.ts";

/** What span the page's charts show: ranges that end now, steps in time, any from and to. */
export function Ranges({ view }: { view: Signal<View> }) {
  const hub = useHub();
  const open = useSignal(false);
  const words = text.chart.ranges;
  const step = (title: string, sign: string, next: (view: View, now: number) => View) => (
    <button
      type="button"
      class="step"
      aria-label={title}
      title={title}
      onClick={() => {
        view.value = next(view.peek(), hub.hubNow());
      }}
    >
      {sign}
    </button>
  );
  return (
    <div class="timebar">
      <fieldset class="ranges">
        <legend class="hidden">{words.label}</legend>
        <span class="choices">
          {RANGES_MS.map((spanMs) => (
            <label key={spanMs}>
              <input
                type="radio"
                name="range"
                checked={view.value.until === null && view.value.spanMs === spanMs}
                onChange={() => {
                  view.value = liveView(spanMs);
                }}
              />
              <span>{words.names[spanMs]}</span>
            </label>
          ))}
        </span>
      </fieldset>
      <span class="steps-in-time">
        {step(words.back, "‹", (at, now) => panned(at, -0.5, now))}
        {step(words.wider, "−", (at, now) => zoomed(at, 2, now))}
        {step(words.closer, "+", (at, now) => zoomed(at, 0.5, now))}
        {step(words.forward, "›", (at, now) => panned(at, 0.5, now))}
        <button
          type="button"
          class="toggle"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.peek();
          }}
        >
          {words.choose}
        </button>
      </span>
      {view.value.until !== null && <Past view={view} until={view.value.until} />}
      {view.value.spanMs > QUALITY_SPAN_MS && <p class="dim bound">{words.noQuality}</p>}
      {open.value && <FromTo view={view} />}
    </div>
  );
}

/** That what is shown is not the present, and the way back to it. */
function Past({ view, until }: { view: Signal<View>; until: number }) {
  const hub = useHub();
  const { spanMs } = view.value;
  const now = hub.now.peek();
  return (
    <p class="past" role="status">
      <span class="warn digits" title={hover(until)}>
        {text.chart.between(moment(until - spanMs, now), moment(until, now))}
      </span>
      <button
        type="button"
        onClick={() => {
          view.value = liveView(spanMs);
        }}
      >
        {text.chart.ranges.toLive}
      </button>
    </p>
  );
}

function FromTo({ view }: { view: Signal<View> }) {
  const hub = useHub();
  const words = text.chart.ranges;
  const end = view.value.until ?? hub.hubNow();
  const from = useSignal(toInput(end - view.value.spanMs));
  const to = useSignal(toInput(end));
  const wrong = useSignal(false);
  const field = (id: string, title: string, value: Signal<string>) => (
    <label for={id}>
      <span class="dim">{title}</span>{" "}
      <input
        id={id}
        type="datetime-local"
        step="1"
        required
        value={value.value}
        aria-invalid={wrong.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
    </label>
  );
  return (
    <form
      class="from-to"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const [start, stop] = [from, to].map((at) => fromInput(at.peek()));
        wrong.value = !(
          Number(stop) - Number(start) >= LEAST_SPAN_MS && Number(start) < hub.hubNow()
        );
        if (!wrong.peek()) view.value = viewOf(Number(start), Number(stop), hub.hubNow());
      }}
    >
      {field("from", words.from, from)}
      {field("to", words.to, to)}
      <button type="submit">{words.show}</button>
      {wrong.value && (
        <span class="bad" role="alert">
          {words.wrong}
        </span>
      )}
    </form>
  );
}
