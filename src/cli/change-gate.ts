// Lets a few changed paths per second through and counts the rest, so that ten thousand files are not ten thousand lines.

import { CHANGES_SHOWN_PER_SECOND_MAX } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";

const WINDOW_MS = 1_000;

export class ChangeGate {
  readonly #clock: Clock;
  readonly #onMore: (count: number) => void;
  #shown = 0;
  #more = 0;
  #timer: Timer | undefined;

  /** `onMore` is called at the end of each second in which changes were only counted. */
  constructor(clock: Clock, onMore: (count: number) => void) {
    this.#clock = clock;
    this.#onMore = onMore;
  }

  /** True if this change is to be shown by itself. */
  admit(): boolean {
    this.#timer ??= this.#clock.after(WINDOW_MS, () => this.#endWindow());
    if (this.#shown < CHANGES_SHOWN_PER_SECOND_MAX) {
      this.#shown++;
      return true;
    }
    this.#more++;
    return false;
  }

  /** Tells what is still only counted. */
  close(): void {
    this.#timer?.clear();
    this.#endWindow();
  }

  #endWindow(): void {
    const more = this.#more;
    this.#timer = undefined;
    this.#shown = 0;
    this.#more = 0;
    if (more > 0) this.#onMore(more);
  }
}
