// What each path is at between two decisions: busy (an operation is under way), waiting for another path, resting after it was
// found changed, failed, or to be repaired. Whatever ends that makes it due again.

import type { RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import type { PathRecord } from "../index/entry.ts";
import type { IndexStore } from "../index/index-store.ts";
import { isSettled } from "../index/settle.ts";
import type { DuePaths } from "./due-paths.ts";
import { Failures } from "./failures.ts";
import { RepairRequests, type RepairRequestsOptions } from "./repair-requests.ts";
import { Resting } from "./resting.ts";
import { Waiting } from "./waiting.ts";

export interface PathStatesOptions extends RepairRequestsOptions {
  readonly clock: Clock;
  readonly store: Pick<IndexStore, "get">;
  readonly due: Pick<DuePaths, "add" | "keep">;
  /** True while content for this path is asked for. */
  readonly isFetched: (path: RelativePath) => boolean;
  readonly onProblem: (path: RelativePath, problem: Problem) => void;
  readonly onSolved: (path: RelativePath) => void;
}

export class PathStates {
  readonly #options: PathStatesOptions;
  readonly #busy = new Set<RelativePath>();
  /** Who waits: what that is for makes it due again. */
  readonly #waiting = new Waiting();
  /** Found changed a moment ago: they are looked at, and due again soon. */
  readonly #resting: Resting;
  readonly #failures: Failures;
  /** A directory needs no repair once nothing live is left in it. */
  readonly #repairs: RepairRequests;

  constructor(options: PathStatesOptions) {
    this.#options = options;
    const { clock, due, onProblem, onSolved } = options;
    this.#resting = new Resting({ clock, onRested: (path) => due.add(path) });
    this.#failures = new Failures({ clock, onRetry: (path) => due.add(path), onProblem, onSolved });
    this.#repairs = new RepairRequests(options);
  }

  get failures(): Iterable<readonly [RelativePath, Problem]> {
    return this.#failures;
  }

  isBusy(path: RelativePath): boolean {
    return this.#busy.has(path);
  }

  isToRepair(path: RelativePath): boolean {
    return this.#repairs.has(path);
  }

  /** False while an operation is under way or it is not time to try again. Whatever ends that makes the path due. */
  isOpen(path: RelativePath): boolean {
    return !this.#busy.has(path) && !this.#isFailing(path);
  }

  /** It is decided on anew: it waits for nothing. True if a repair of it had been asked for. */
  reopen(path: RelativePath): boolean {
    this.#waiting.leave(path);
    return this.#repairs.delete(path);
  }

  /** An operation is on its way. */
  begin(path: RelativePath): void {
    this.#busy.add(path);
  }

  /** It is over; what became of the path is still to be said. */
  end(path: RelativePath): void {
    this.#busy.delete(path);
  }

  /** The path that something was to be moved from is free again. */
  release(movedFrom: RelativePath | undefined): void {
    if (movedFrom === undefined) return;
    this.end(movedFrom);
    this.wake(movedFrom);
  }

  waitFor(path: RelativePath, waiter: RelativePath): void {
    const { due, isFetched } = this.#options;
    this.#waiting.add(waiter, path);
    const isComing = this.#busy.has(path) || isFetched(path);
    // What is waited for may itself not be due: then nobody would wake us.
    if (!isComing && !this.#waiting.isWaiting(path) && !this.#resting.has(path)) due.add(path);
  }

  /** The tree around it does not allow it. */
  askForRepair(path: RelativePath): void {
    this.#repairs.add(path);
  }

  /** Repairs that were put off while entries arrived are decided on again, at the next turn. */
  wakePutOff(): void {
    for (const path of this.#repairs.takePutOff()) this.#options.due.keep(path);
  }

  /** The disk was found changed there. False if that was too often in a row: something is in its way. */
  rest(path: RelativePath): boolean {
    return this.#resting.add(path);
  }

  fail(path: RelativePath, problem: Problem): void {
    this.#failures.add(path, problem);
  }

  /** It was put in place: however often it was found changed before does not matter. */
  forgetRests(path: RelativePath): void {
    this.#resting.forgetAttempts(path);
  }

  /** The disk was looked at, and the record is what is there now. */
  noteSeen(record: PathRecord): void {
    const { path } = record;
    // What was fetched for it is not wanted there any more, and perhaps elsewhere.
    const isFollowed = this.#waiting.isWaitedFor(path) || this.#options.isFetched(path) || this.#failures.has(path);
    if (!isSettled(record) || isFollowed) this.#options.due.add(path);
    this.#wakeParent(path);
  }

  /** The path came to an end: whoever waited for it is looked at again. */
  wake(path: RelativePath): void {
    this.#failures.solve(path);
    this.#wakeParent(path);
    this.wakeWaiters(path);
  }

  wakeWaiters(path: RelativePath): void {
    for (const waiter of this.#waiting.takeWaitersOf(path)) this.#options.due.add(waiter);
  }

  /** Nothing is tried again. */
  stop(): void {
    this.#failures.stop();
  }

  /** What failed is tried again after a while, unless the path has come to hold what is known of it by another way. */
  #isFailing(path: RelativePath): boolean {
    if (!this.#failures.has(path)) return false;
    const record = this.#options.store.get(path);
    return record !== undefined && !isSettled(record);
  }

  /** The last thing that was live in a directory may be gone: then nothing is to be repaired, and it can go. */
  #wakeParent(path: RelativePath): void {
    const parent = this.#repairs.above(path);
    if (parent !== undefined) this.#options.due.add(parent);
  }
}
