import { signal } from "@preact/signals";

const WINDOW_S = 5;

/** How many samples a second came, over the last whole seconds. */
export class Rate {
  readonly perSecond = signal(0);
  private counts: number[] = [0];

  add(samples: number): void {
    this.counts[this.counts.length - 1] = (this.counts.at(-1) ?? 0) + samples;
  }

  /** Once a second. */
  tick(): void {
    this.counts.push(0);
    if (this.counts.length > WINDOW_S + 1) this.counts.shift();
    const whole = this.counts.slice(0, -1);
    const sum = whole.reduce((all, n) => all + n, 0);
    this.perSecond.value = Math.round(sum / Math.max(1, whole.length));
  }
}
