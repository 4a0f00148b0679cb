// Notices bursts of native events: the system's queue may have overflowed in one, and @parcel/watcher does not pass the
// system's word of that on.

import { WATCH_BURST_EVENTS_MAX } from "../core/limits.ts";

/** Events within this time are one burst. */
const BURST_MS = 1_000;

/** Counts events, however they are delivered. */
export class BurstCounter {
  readonly #nowMs: () => number;
  #startMs = -Infinity;
  #events = 0;

  /** `nowMs`: milliseconds that never go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** True whenever a burst has grown by so many events that some may have been lost. */
  add(events: number): boolean {
    const nowMs = this.#nowMs();
    if (nowMs - this.#startMs > BURST_MS) {
      this.#startMs = nowMs;
      this.#events = 0;
    }
    this.#events += events;
    if (this.#events < WATCH_BURST_EVENTS_MAX) return false;
    this.#events = 0;
    return true;
  }
}
