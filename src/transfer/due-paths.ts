// The paths that are to be decided on next. There is room for so many of them; what finds none is found in the index again,
// which holds all that is pending.

import { PULL_QUEUE_PATHS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";

export interface DuePathsOptions {
  /** What the index says is pending. */
  readonly pending: () => Iterable<RelativePath>;
  /** True while content for this path is asked for: nothing is to be decided on it unless it changes. */
  readonly isFetched: (path: RelativePath) => boolean;
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
    // What is being fetched is remembered in any case: for a path like that the index is not asked again.
    if (this.#due.size < PULL_QUEUE_PATHS_MAX || this.#options.isFetched(path)) return this.keep(path);
    this.#isOverflowing = true;
    this.#hasDropped = true;
  }

  /** Also where there is no room. */
  keep(path: RelativePath): void {
    this.#due.add(path);
  }

  clear(): void {
    this.#due.clear();
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

  /** Goes through everything that is pending, from the start, whether it is being fetched or not. */
  reconsider(): void {
    this.#rest = undefined;
    this.#isReconsidering = true;
    this.refill();
  }

  /** Makes pending paths due; the next call goes on where this one stopped. */
  refill(): void {
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
