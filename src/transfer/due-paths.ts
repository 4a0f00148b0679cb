// The paths that are to be decided on next, and when that is. There is room for so many of them; what finds none is found in
// the index again, which holds all that is pending.

import { PULL_QUEUE_PATHS_MAX, RETRY_DELAY_MS_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";

export interface DuePathsOptions {
  readonly clock: Clock;
  /** What the index says is pending. */
  readonly pending: () => Iterable<RelativePath>;
  /** True while content for this path is asked for: nothing is to be decided on it unless it changes. */
  readonly isFetched: (path: RelativePath) => boolean;
  /** Decide on what is due, by `take`. Called in a turn of its own, once for all that is added until then. */
  readonly onDue: () => void;
}

/** Pending paths that are gone through in one go, so that room is left for what changes. */
const REFILLED_AT_ONCE_MAX = PULL_QUEUE_PATHS_MAX / 2;

export class DuePaths {
  readonly #options: DuePathsOptions;
  readonly #due = new Set<RelativePath>();
  #isOverflowing = false;
  /** Where going through the index stands. What nobody can deliver must not hide what comes after it. */
  #rest: Iterator<RelativePath> | undefined;
  /** It goes through all of it, what is being fetched as well. */
  #isReconsidering = false;
  /** A path found no room since that began: it may lie before where it stands. */
  #hasDropped = false;
  #isScheduled = false;
  #isRefillDue = false;
  #isStopped = false;

  constructor(options: DuePathsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#due.size;
  }

  /** More is pending than is due: what the index holds is gone through in parts. */
  get isOverflowing(): boolean {
    return this.#isOverflowing;
  }

  add(path: RelativePath): void {
    if (this.#isStopped) return;
    // What is being fetched is remembered in any case: for a path like that the index is not asked again.
    if (this.#due.size < PULL_QUEUE_PATHS_MAX || this.#options.isFetched(path)) this.keep(path);
    else {
      this.#isOverflowing = true;
      this.#hasDropped = true;
    }
    this.schedule();
  }

  /** Also where there is no room; at the next turn that something else gives. */
  keep(path: RelativePath): void {
    this.#due.add(path);
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#isStopped = true;
    this.#due.clear();
  }

  /** What is due has its turn soon. */
  schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#options.onDue();
    });
  }

  /** Takes out up to `count` paths, those that are added meanwhile as well. */
  *take(count: number): Iterable<RelativePath> {
    let taken = 0;
    for (const path of this.#due) {
      if (taken++ >= count) return;
      this.#due.delete(path);
      yield path;
    }
  }

  /**
   * To be called when what was taken has been decided on: what else is due has its turn after other work. With `refills`,
   * the index is asked for more if there is more. False if nothing is left to be decided on for now.
   */
  goOn({ refills }: { readonly refills: boolean }): boolean {
    if (this.#due.size > 0) {
      this.#options.clock.after(0, () => this.schedule());
      return true;
    }
    if (!this.#isOverflowing || !refills) return false;
    this.#refillLater();
    return true;
  }

  /** Goes through everything that is pending, from the start, whether it is being fetched or not. */
  reconsider(): void {
    if (this.#isStopped) return;
    this.#rest = undefined;
    this.#isReconsidering = true;
    this.refill();
  }

  /** Makes pending paths due; the next call goes on where this one stopped. */
  refill(): void {
    if (this.#isStopped) return;
    this.#takeFromIndex();
    this.schedule();
  }

  #refillLater(): void {
    if (this.#isRefillDue) return;
    this.#isRefillDue = true;
    this.#options.clock.after(RETRY_DELAY_MS_MIN, () => {
      this.#isRefillDue = false;
      if (this.#isOverflowing) this.refill();
    });
  }

  #takeFromIndex(): void {
    if (this.#rest === undefined) {
      this.#hasDropped = false;
      this.#rest = this.#options.pending()[Symbol.iterator]();
    }
    for (let looked = 0; looked < REFILLED_AT_ONCE_MAX && this.#due.size < PULL_QUEUE_PATHS_MAX; looked++) {
      const next = this.#rest.next();
      if (next.done === true) {
        this.#rest = undefined;
        this.#isReconsidering = false;
        this.#isOverflowing = this.#hasDropped;
        return;
      }
      if (this.#isReconsidering || !this.#options.isFetched(next.value)) this.#due.add(next.value);
    }
    this.#isOverflowing = true;
  }
}
