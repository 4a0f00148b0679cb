// A typed list of listeners for one event. Events record facts; they do not decide.

/** Something that happens again and again, and those who want to hear of it. */
export class Emitter<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Adds a listener; the returned function removes it. */
  on(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls every listener, in the order they were added. */
  emit(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }
}
