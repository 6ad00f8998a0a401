/** Going away from a page and coming back to it at once is cheap: it is looked at for this long after it was left. */
export const LEAVE_MS = 30_000;

/** What is asked about the page, so that a test can answer. */
export interface Page {
  readonly hidden: boolean;
  addEventListener: (type: "visibilitychange", run: () => void) => void;
  removeEventListener: (type: "visibilitychange", run: () => void) => void;
}

/** Tells when nobody looks at a page any more, and when somebody does again. */
export class Attention {
  private readonly page: Page;
  private readonly patienceMs: () => number;
  private readonly rest: () => boolean;
  private readonly wake: () => void;
  private resting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `rest` says whether it did; `patienceMs`, how long after the page was left it is asked to. */
  constructor(page: Page, patienceMs: () => number, rest: () => boolean, wake: () => void) {
    this.page = page;
    this.patienceMs = patienceMs;
    this.rest = rest;
    this.wake = wake;
    page.addEventListener("visibilitychange", this.turn);
    if (page.hidden) this.turn();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.page.removeEventListener("visibilitychange", this.turn);
  }

  private readonly turn = (): void => {
    clearTimeout(this.timer);
    if (this.page.hidden) {
      this.timer = setTimeout(() => {
        this.resting = this.rest();
      }, this.patienceMs());
    } else if (this.resting) {
      this.resting = false;
      this.wake();
    }
  };
}
