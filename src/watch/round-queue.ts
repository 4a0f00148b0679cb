// Starts rounds for what is suspect: hints after a moment of settling and before everything else, a bounded number at once.

import {
  BULK_ROUND_PATHS_MAX,
  BULK_ROUNDS_MAX,
  ROUND_PATHS_MAX,
  SETTLE_MS,
  URGENT_ROUNDS_MAX,
} from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import { Suspects, type Suspect } from "./suspects.ts";

export interface RoundQueueOptions {
  readonly clock: Clock;
  /** Looks at the suspects; `claim` takes further paths for the same round. Never rejects. */
  readonly runRound: (suspects: readonly Suspect[], claim: (diskPath: string) => boolean) => Promise<void>;
}

export class RoundQueue {
  readonly #options: RoundQueueOptions;
  readonly #suspects = new Suspects();
  readonly #running = { urgent: 0, bulk: 0 };
  readonly #waiters: (() => void)[] = [];
  #settle: Timer | undefined;
  #isStopped = false;

  constructor(options: RoundQueueOptions) {
    this.#options = options;
  }

  /** Paths that wait or are being looked at. */
  get size(): number {
    return this.#suspects.size;
  }

  /** Hints that wait. */
  get urgentCount(): number {
    return this.#suspects.urgentCount;
  }

  add(added: Suspect): void {
    if (this.#isStopped) return;
    this.#suspects.add(added);
    this.#settle ??= this.#options.clock.after(SETTLE_MS, () => {
      this.#settle = undefined;
      this.#startRounds();
    });
  }

  /** Resolves when there is room for more that nobody waits for; to false if it was stopped. */
  async hasRoom(): Promise<boolean> {
    while (!this.#isStopped && this.#suspects.bulkCount >= ROUND_PATHS_MAX) await this.#roundEnd();
    return !this.#isStopped;
  }

  /** Resolves when nothing is left but hints. */
  async untilNoBulk(): Promise<void> {
    while (!this.#isStopped && this.#suspects.bulkCount + this.#running.bulk > 0) await this.#roundEnd();
  }

  /** Running rounds end by themselves. */
  stop(): void {
    this.#isStopped = true;
    this.#settle?.clear();
    this.#suspects.clear();
    this.#releaseWaiters();
  }

  #startRounds(): void {
    if (this.#isStopped) return;
    while (this.#suspects.urgentCount > 0 && this.#running.urgent < URGENT_ROUNDS_MAX) {
      this.#startRound("urgent", ROUND_PATHS_MAX);
    }
    while (this.#suspects.bulkCount > 0 && this.#running.bulk < BULK_ROUNDS_MAX) {
      this.#startRound("bulk", BULK_ROUND_PATHS_MAX);
    }
    this.#releaseWaiters();
  }

  #startRound(queue: "urgent" | "bulk", pathsMax: number): void {
    const suspects = this.#suspects.take(queue, pathsMax);
    const taken = suspects.map(({ diskPath }) => diskPath);
    const claim = (diskPath: string): boolean => {
      const isMine = this.#suspects.claim(diskPath);
      if (isMine) taken.push(diskPath);
      return isMine;
    };
    this.#running[queue]++;
    void this.#options.runRound(suspects, claim).then(() => {
      this.#running[queue]--;
      for (const diskPath of taken) this.#suspects.done(diskPath);
      this.#startRounds();
    });
  }

  #roundEnd(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #releaseWaiters(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
