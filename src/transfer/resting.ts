// Paths at which the disk was found changed: each is looked at, and has its next turn a little later each time.

import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";

export interface RestingOptions {
  readonly clock: Clock;
  /** It has rested. The look at the disk is faster if it finds something; this is for when it does not. */
  readonly onRested: (path: RelativePath) => void;
}

/** A path that is found changed so often in a row has something in its way. */
const CHANGED_ATTEMPTS_MAX = 8;
/** Longer by this with each time. */
const REST_MS = 50;

export class Resting {
  readonly #options: RestingOptions;
  readonly #resting = new Set<RelativePath>();
  /** How often a path was found changed in a row. */
  readonly #attempts = new Map<RelativePath, number>();

  constructor(options: RestingOptions) {
    this.#options = options;
  }

  has(path: RelativePath): boolean {
    return this.#resting.has(path);
  }

  /** It was found changed. False if that was too often in a row: then it does not rest. */
  add(path: RelativePath): boolean {
    const { clock, onRested } = this.#options;
    const attempts = (this.#attempts.get(path) ?? 0) + 1;
    this.#attempts.set(path, attempts);
    if (attempts > CHANGED_ATTEMPTS_MAX) return false;
    this.#resting.add(path);
    clock.after(REST_MS * attempts, () => {
      this.#resting.delete(path);
      onRested(path);
    });
    return true;
  }

  /** It was put in place: whatever is found next is the first time. */
  forgetAttempts(path: RelativePath): void {
    this.#attempts.delete(path);
  }
}
