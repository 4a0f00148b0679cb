// Simulated time: everything that happens in a simulation waits here, and happens in an order that depends on nothing
// but the times and the order in which it was asked for.

import type { Timer } from "../../src/edge/clock.ts";

interface Item {
  readonly dueMs: number;
  readonly serial: number;
  readonly action: () => void;
  isCleared: boolean;
}

export class Scheduler {
  #nowMs = 0;
  #serial = 0;
  /** A binary heap, the next item first. */
  readonly #heap: Item[] = [];

  /** Milliseconds since the simulation began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const item = { dueMs: this.#nowMs + Math.max(0, delayMs), serial: this.#serial++, action, isCleared: false };
    this.#push(item);
    return { clear: () => (item.isCleared = true) };
  }

  /** Lets everything up to `endMs` happen; after each thing, promises get their turn. Stops early if `isOver` says so. */
  async runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    await turn();
    for (let next = this.#heap[0]; next !== undefined && next.dueMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      if (next.isCleared) continue;
      this.#nowMs = next.dueMs;
      next.action();
      await turn();
      if (isOver()) return;
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, item)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child++;
      const smaller = heap[child];
      if (smaller === undefined || isBefore(last, smaller)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.serial < b.serial);
}

/** One turn of the event loop runs every promise that is ready, and those that these make ready. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
