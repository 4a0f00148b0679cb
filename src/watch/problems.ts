// Which paths have a problem now, so that each is said once, and once more when it is well again.

import { PROBLEM_PATHS_MAX } from "../core/limits.ts";
import type { Problem } from "../core/problem.ts";

/** `path`: it cannot be looked at or read. `listing`: the directory cannot be listed. */
export type ProblemSource = "path" | "listing";

export class Problems {
  readonly #codes = { path: new Map<string, string>(), listing: new Map<string, string>() };
  readonly #onProblem: (diskPath: string, problem: Problem) => void;
  readonly #onSolved: (diskPath: string) => void;

  constructor(onProblem: (diskPath: string, problem: Problem) => void, onSolved: (diskPath: string) => void) {
    this.#onProblem = onProblem;
    this.#onSolved = onSolved;
  }

  add(source: ProblemSource, diskPath: string, problem: Problem): void {
    const codes = this.#codes[source];
    if (codes.get(diskPath) === problem.code) return;
    if (codes.size < PROBLEM_PATHS_MAX) codes.set(diskPath, problem.code);
    this.#onProblem(diskPath, problem);
  }

  get size(): number {
    return this.#codes.path.size + this.#codes.listing.size;
  }

  has(source: ProblemSource, diskPath: string): boolean {
    return this.#codes[source].has(diskPath);
  }

  /** Paths with this problem. */
  withCode(code: string): readonly string[] {
    return [...this.#codes.path].flatMap(([diskPath, its]) => (its === code ? [diskPath] : []));
  }

  solve(source: ProblemSource, diskPath: string): void {
    const codes = this.#codes[source];
    if (codes.size > 0 && codes.delete(diskPath)) this.#onSolved(diskPath);
  }
}
