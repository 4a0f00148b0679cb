// Which path waits for which other one: a file for its directory, or for content that is fetched for somewhere else.

import type { RelativePath } from "../core/path.ts";

export class Waiting {
  /** Path → who waits for it. */
  readonly #waitersOf = new Map<RelativePath, Set<RelativePath>>();
  readonly #waiters = new Set<RelativePath>();

  add(waiter: RelativePath, path: RelativePath): void {
    const waiters = this.#waitersOf.get(path) ?? new Set();
    waiters.add(waiter);
    this.#waitersOf.set(path, waiters);
    this.#waiters.add(waiter);
  }

  /** It is decided on anew, and may wait for something else. */
  leave(waiter: RelativePath): void {
    this.#waiters.delete(waiter);
  }

  isWaiting(path: RelativePath): boolean {
    return this.#waiters.has(path);
  }

  isWaitedFor(path: RelativePath): boolean {
    return this.#waitersOf.has(path);
  }

  /** Who waited for this path, and does no longer. */
  takeWaitersOf(path: RelativePath): Iterable<RelativePath> {
    const waiters = this.#waitersOf.get(path);
    if (waiters === undefined) return [];
    this.#waitersOf.delete(path);
    for (const waiter of waiters) this.#waiters.delete(waiter);
    return waiters;
  }
}
