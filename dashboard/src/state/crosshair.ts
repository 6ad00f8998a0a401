import { signal } from "@preact/signals";

/** The time that the charts of a page are all asked about, also those that are out of sight. */
export class Crosshair {
  /** UTC ms; null while nobody asks. */
  readonly ms = signal<number | null>(null);
  /** All charts' values in words, for screen readers; renewed when somebody asks. */
  readonly said = signal("");
  private readonly readers = new Set<() => string>();

  /** Be asked with the others, until the returned function is called; "" is: nothing to say. */
  join(read: () => string): () => void {
    this.readers.add(read);
    return () => {
      this.readers.delete(read);
    };
  }

  readAll(): void {
    this.said.value = [...this.readers]
      .map((read) => read())
      .filter((words) => words !== "")
      .join("; ");
  }
}
