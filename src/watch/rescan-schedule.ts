// When to scan the whole folder again: now and then, after the machine slept, and after hints may have been lost.

import { RESCAN_INTERVAL_MS, RESCAN_QUIET_MS, SLEEP_MS_MIN } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";

export interface RescanScheduleOptions {
  readonly clock: Clock;
  /** Keeps machines from scanning in step. */
  readonly random: Random;
  readonly scan: () => void;
  /** True when nothing has happened for a while. */
  readonly isQuiet: (forMs: number) => boolean;
}

const TICK_MS = 15_000;
/** A folder that is never quiet is scanned all the same. */
const QUIET_TRIES_MAX = 20;

export class RescanSchedule {
  readonly #options: RescanScheduleOptions;
  #tick: Timer | undefined;
  #whenQuiet: Timer | undefined;
  #dueMs = Infinity;

  constructor(options: RescanScheduleOptions) {
    this.#options = options;
  }

  /** A scan has just been made (or begins): the next is due an interval later. */
  noteScan(): void {
    const { clock, random } = this.#options;
    this.#dueMs = clock.monotonic() + RESCAN_INTERVAL_MS * (0.9 + 0.2 * random.fraction());
    if (this.#tick === undefined) this.#watchTime();
  }

  /** Scans as soon as it is quiet. */
  scanWhenQuiet(tries = 0): void {
    if (tries === 0 && this.#whenQuiet !== undefined) return;
    const { clock, isQuiet, scan } = this.#options;
    this.#whenQuiet = clock.after(RESCAN_QUIET_MS, () => {
      this.#whenQuiet = undefined;
      if (isQuiet(RESCAN_QUIET_MS) || tries >= QUIET_TRIES_MAX) scan();
      else this.scanWhenQuiet(tries + 1);
    });
  }

  stop(): void {
    this.#tick?.clear();
    this.#whenQuiet?.clear();
    this.#tick = undefined;
    this.#whenQuiet = undefined;
  }

  #watchTime(): void {
    const { clock, scan } = this.#options;
    const wallMs = clock.now();
    const monotonicMs = clock.monotonic();
    this.#tick = clock.after(TICK_MS, () => {
      // While a machine sleeps, one of the two clocks stands still or the timer is late.
      const passedMs = Math.max(clock.now() - wallMs, clock.monotonic() - monotonicMs);
      const hasSlept = passedMs - TICK_MS > SLEEP_MS_MIN;
      this.#watchTime();
      if (hasSlept || clock.monotonic() >= this.#dueMs) scan();
    });
  }
}
