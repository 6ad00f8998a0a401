/**
 * One requestAnimationFrame for the whole page: everything that draws asks here, and is drawn once a frame.
 */
export class FrameScheduler {
  private readonly due = new Set<() => void>();
  private requested = false;
  private readonly request: (run: () => void) => void;

  constructor(request: (run: () => void) => void = (run) => requestAnimationFrame(run)) {
    this.request = request;
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
    const now = [...this.due];
    this.due.clear();
    for (const draw of now) draw();
  }
}
