import { batch } from "@preact/signals";
import { FrameScheduler } from "./frame.ts";
import type { MetricState } from "./metric.ts";

/** Digits that change faster than this cannot be read. */
const READOUT_MS = 250;
/** Readouts that change in one frame: to lay them out and paint them takes several times as long as their script. */
const A_FRAME = 100;
/** They change in steps of so many, until so much of the frame is gone. */
const TOGETHER = 16;
const SHOW_MS = 4;
/** Successive multiples of it, less their whole part, are spread evenly however many they are. */
const GOLDEN = 0.618;

/** When what came is shown: readouts at a pace that can be read, drawings in frames, and little of it in each. */
export class Display {
  readonly frame = new FrameScheduler();
  private readonly drawings = new Set<() => void>();
  private readonly calm = new Set<() => void>();
  /** Metrics with news, and of those the ones whose turn it is: the rest of a round that takes several frames. */
  private readonly pending = new Set<MetricState>();
  private round: MetricState[] = [];
  private roundAt = Number.NEGATIVE_INFINITY;
  private asked = false;
  private turns = 0;

  /** Draw `drawing` in a frame after news and at least once a second, until the returned function is called. */
  onFrame(drawing: () => void): () => void {
    return this.follow(this.drawings, drawing);
  }

  /** As `onFrame`, but in the frames in which readouts change and no others: what moves slowly costs no frame. */
  onFlush(drawing: () => void): () => void {
    return this.follow(this.calm, drawing);
  }

  /** A part of a period, 0 to 1, at which a drawing may begin so that several do not meet in one frame. */
  turn(): number {
    this.turns++;
    return (this.turns * GOLDEN) % 1;
  }

  /** Once a second: time passes also where nothing comes. */
  tick(): void {
    for (const drawing of this.drawings) this.frame.ask(drawing);
    if (performance.now() - this.roundAt < 1000) return;
    for (const drawing of this.calm) this.frame.ask(drawing);
  }

  /** These have a newer sample than their readouts show. */
  take(metrics: Iterable<MetricState>): void {
    for (const metric of metrics) this.pending.add(metric);
    for (const drawing of this.drawings) this.frame.ask(drawing);
    this.ask();
  }

  private follow(drawings: Set<() => void>, drawing: () => void): () => void {
    drawings.add(drawing);
    this.frame.ask(drawing);
    return () => {
      drawings.delete(drawing);
      this.frame.drop(drawing);
    };
  }

  /** Begin a round in the next frame, or when the last one could be read. */
  private ask(): void {
    if (this.asked || this.pending.size === 0) return;
    this.asked = true;
    const wait = this.roundAt + READOUT_MS - performance.now();
    if (wait <= 0) this.frame.ask(this.begin);
    else window.setTimeout(() => this.frame.ask(this.begin), wait);
  }

  private readonly begin = (): void => {
    this.roundAt = performance.now();
    this.round = [...this.pending];
    this.pending.clear();
    this.show();
  };

  /** Move the newest samples to the signals that readouts follow: of as many as a frame can take. */
  private readonly show = (): void => {
    const began = performance.now();
    let shown = 0;
    while (shown < Math.min(A_FRAME, this.round.length)) {
      const some = this.round.slice(shown, shown + TOGETHER);
      batch(() => {
        for (const metric of some) metric.last.value = metric.newest;
      });
      shown += some.length;
      if (performance.now() - began >= SHOW_MS) break;
    }
    this.round = this.round.slice(shown);
    for (const drawing of this.calm) this.frame.ask(drawing);
    if (this.round.length > 0) {
      this.frame.ask(this.show);
      return;
    }
    this.asked = false;
    this.ask();
  };
}
