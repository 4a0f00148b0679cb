// Paths that could not be brought up to what is known: each is tried again after a while, which grows.

import { RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock, Timer } from "../edge/clock.ts";

export interface FailuresOptions {
  readonly clock: Clock;
  /** It is time to try it again; it counts as failed no longer. */
  readonly onRetry: (path: RelativePath) => void;
  readonly onProblem: (path: RelativePath, problem: Problem) => void;
  readonly onSolved: (path: RelativePath) => void;
}

interface Failure {
  readonly problem: Problem;
  readonly timer: Timer;
}

export class Failures {
  readonly #options: FailuresOptions;
  readonly #failures = new Map<RelativePath, Failure>();
  /** How often a path failed since it came to an end last. */
  readonly #attempts = new Map<RelativePath, number>();
  #isStopped = false;

  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  *[Symbol.iterator](): Iterator<readonly [RelativePath, Problem]> {
    for (const [path, { problem }] of this.#failures) yield [path, problem];
  }

  has(path: RelativePath): boolean {
    return this.#failures.has(path);
  }

  add(path: RelativePath, problem: Problem): void {
    const { clock, onRetry, onProblem } = this.#options;
    const attempts = (this.#attempts.get(path) ?? 0) + 1;
    this.#attempts.set(path, attempts);
    const delayMs = Math.min(RETRY_DELAY_MS_MIN * 2 ** (attempts - 1), RETRY_DELAY_MS_MAX);
    const timer = clock.after(delayMs, () => {
      this.#failures.delete(path);
      onRetry(path);
    });
    this.#failures.set(path, { problem, timer });
    onProblem(path, problem);
    if (this.#isStopped) timer.clear();
  }

  /** The path came to an end. */
  solve(path: RelativePath): void {
    this.#failures.get(path)?.timer.clear();
    this.#failures.delete(path);
    if (this.#attempts.delete(path)) this.#options.onSolved(path);
  }

  /** Nothing is tried again. */
  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#failures.values()) timer.clear();
  }
}
