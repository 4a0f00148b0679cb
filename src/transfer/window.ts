// How much may be under way from one peer: enough to keep the line busy, little enough to keep memory small.

/** Bytes asked for and not yet written to disk. */
export class Window {
  readonly #bytesMax: number;
  readonly #all: Window | undefined;
  #bytes = 0;

  /** `all`: what this one is a part of. */
  constructor(bytesMax: number, all?: Window) {
    this.#bytesMax = bytesMax;
    this.#all = all;
  }

  get isOpen(): boolean {
    return this.#bytes < this.#bytesMax && this.#all?.isOpen !== false;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    this.#all?.take(bytes);
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
    this.#all?.give(bytes);
  }
}
