// Things that are due later, by key, with one timer for all of them.

import type { Clock, Timer } from "../edge/clock.ts";

interface Delayed<Value> {
  readonly dueMs: number;
  readonly value: Value;
}

/** Hands over what has fallen due, all at once. A key waits once: the earlier time stays, the values are joined. */
export class DelayQueue<Key, Value> {
  readonly #clock: Clock;
  readonly #sizeMax: number;
  readonly #join: (before: Value, later: Value) => Value;
  readonly #onDue: (due: readonly (readonly [Key, Value])[]) => void;
  readonly #waiting = new Map<Key, Delayed<Value>>();
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(options: {
    readonly clock: Clock;
    readonly sizeMax: number;
    /** The value of a key that is put again while it waits; the later one by default. */
    readonly join?: (before: Value, later: Value) => Value;
    readonly onDue: (due: readonly (readonly [Key, Value])[]) => void;
  }) {
    this.#clock = options.clock;
    this.#sizeMax = options.sizeMax;
    this.#join = options.join ?? ((_, later) => later);
    this.#onDue = options.onDue;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False if the queue is full, and the key is not waiting. */
  put(key: Key, delayMs: number, value: Value): boolean {
    const before = this.#waiting.get(key);
    if (before === undefined && this.#waiting.size >= this.#sizeMax) return false;
    const dueMs = Math.min(before?.dueMs ?? Infinity, this.#clock.monotonic() + delayMs);
    this.#waiting.set(key, { dueMs, value: before === undefined ? value : this.#join(before.value, value) });
    this.#setTimer(dueMs);
    return true;
  }

  delete(key: Key): void {
    this.#waiting.delete(key);
  }

  clear(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    this.#waiting.clear();
  }

  #setTimer(dueMs: number): void {
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.clear();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.monotonic()), () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.monotonic();
    const due: (readonly [Key, Value])[] = [];
    let nextMs = Infinity;
    for (const [key, { dueMs, value }] of this.#waiting) {
      // A real timer may fire a fraction of a millisecond early.
      if (dueMs <= nowMs + 1) due.push([key, value]);
      else nextMs = Math.min(nextMs, dueMs);
    }
    for (const [key] of due) this.#waiting.delete(key);
    if (nextMs !== Infinity) this.#setTimer(nextMs);
    if (due.length > 0) this.#onDue(due);
  }
}
