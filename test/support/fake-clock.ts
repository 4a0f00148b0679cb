// A clock that stands still until a test moves it.

import type { Clock, Timer } from "../../src/edge/clock.ts";

interface PendingTimer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** Time that moves only by `advance`; timers fire in the order they fall due. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  #epochMs: number;
  readonly #pending = new Set<PendingTimer>();

  /** `epochMs`: what `now()` says at first. */
  constructor(epochMs = Date.UTC(2024, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), action };
    this.#pending.add(timer);
    return { clear: () => this.#pending.delete(timer) };
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves the wall clock alone, as when somebody sets the machine's time. */
  jump(byMs: number): void {
    this.#epochMs += byMs;
  }

  /** Moves time on and fires what falls due, without giving promises a turn in between. */
  advance(byMs: number): void {
    const endMs = this.#elapsedMs + byMs;
    while (this.#fireNext(endMs)) {
      // Each call fires one timer.
    }
    this.#elapsedMs = endMs;
  }

  /** Moves time on and lets the event loop turn after each timer, so that what it set off sees the time it happened at. */
  async run(byMs: number): Promise<void> {
    const endMs = this.#elapsedMs + byMs;
    await turnEventLoop();
    while (this.#fireNext(endMs)) await turnEventLoop();
    this.#elapsedMs = endMs;
    await turnEventLoop();
  }

  #fireNext(untilMs: number): boolean {
    let next: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === undefined) return false;
    this.#pending.delete(next);
    this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
    next.action();
    return true;
  }
}

/** A handshake over a connection in memory takes about half as many. */
const TURNS = 16;

/** Lets everything that is ready to run do so: a few rounds of promises and immediates. */
export async function turnEventLoop(turns = TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
