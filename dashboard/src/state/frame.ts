/** Drawing in one frame stops after this, and goes on in the next: no task is long enough to be felt. */
const BUDGET_MS = 8;

/**
 * One requestAnimationFrame for the whole page: everything that draws asks here, and is drawn once a frame.
 * What does not fit into a frame's budget comes first in the next.
 */
export class FrameScheduler {
  private readonly due = new Set<() => void>();
  private requested = false;
  private readonly request: (run: () => void) => void;

  private readonly now: () => number;

  constructor(
    request: (run: () => void) => void = (run) => requestAnimationFrame(run),
    now: () => number = () => performance.now(),
  ) {
    this.request = request;
    this.now = now;
  }

  /** Draw in the next frame. Asking twice draws once. */
  ask(draw: () => void): void {
    this.due.add(draw);
    if (this.requested) return;
    this.requested = true;
    this.request(() => this.run());
  }

  /** Forget a drawing: its chart is gone. */
  drop(draw: () => void): void {
    this.due.delete(draw);
  }

  private run(): void {
    this.requested = false;
    const until = this.now() + BUDGET_MS;
    const now = [...this.due];
    this.due.clear();
    now.forEach((draw, at) => {
      if (at === 0 || this.now() < until) draw();
      else this.due.add(draw);
    });
    // What was asked for while drawing waits behind what was left over.
    if (this.due.size > 0 && !this.requested) {
      this.requested = true;
      this.request(() => this.run());
    }
  }
}
