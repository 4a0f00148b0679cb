// The index's tables on a simulated machine: what was not committed when its process died is gone.

import type { RowMap, RowValue } from "../../src/index/row-map.ts";
import type { TableName, Tables } from "../../src/index/tables.ts";
import type { Prng } from "../support/seeded.ts";
import type { Scheduler } from "./scheduler.ts";

interface Undo {
  readonly table: TableName;
  readonly key: string;
  readonly value: RowValue;
}

const COMMIT_MS_MAX = 5;
const UNHURRIED_COMMIT_MS = 20;
const SLOW_COMMIT_MS_MAX = 100;

/** Changes on their way to the disk: what comes later is of the next commit. */
interface Commit {
  readonly undo: readonly Undo[];
  readonly waiting: readonly (() => void)[];
}

export interface CrashableTablesOptions {
  readonly rows: RowMap;
  readonly scheduler: Scheduler;
  readonly random: Prng;
  /** A commit takes a while, and a crash strikes in the middle of it; otherwise it takes no time at all. */
  readonly commitsSlowly: boolean;
}

/** One run's use of `rows`, which outlive it. */
export class CrashableTables implements Tables {
  readonly uncommittedBytes = 0;
  readonly #rows: RowMap;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;
  readonly #commitsSlowly: boolean;
  /** Since the last commit began. */
  #undo: Undo[] = [];
  #writing: Commit | undefined;
  #waiting: (() => void)[] = [];
  #beforeCommit: () => void = () => {};
  #isHurried = false;
  #isCommitDue = false;
  #isDead = false;

  constructor(options: CrashableTablesOptions) {
    this.#rows = options.rows;
    this.#scheduler = options.scheduler;
    this.#random = options.random;
    this.#commitsSlowly = options.commitsSlowly;
  }

  get(table: TableName, key: string): RowValue {
    return this.#rows.get(table, key);
  }

  set(table: TableName, key: string, value: RowValue): void {
    if (this.#isDead) return;
    this.#undo.push({ table, key, value: this.#rows.get(table, key) });
    this.#write(table, key, value);
    this.#commitWithin(UNHURRIED_COMMIT_MS);
  }

  *keys(table: TableName, prefix: string): Iterable<string> {
    for (const key of this.#rows.keys(table, prefix).toSorted()) {
      if (this.#rows.has(table, key)) yield key;
    }
  }

  beforeCommit(action: () => void): void {
    this.#beforeCommit = action;
  }

  committed(): Promise<void> {
    if (this.#isCommitted()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isHurried) this.#commitWithin((COMMIT_MS_MAX * this.#random.below(1000)) / 1000);
      this.#isHurried = true;
    });
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.committed();
  }

  /** The process is gone: so is what it had not committed. What was being written may have got there. */
  crash(): void {
    this.#isDead = true;
    const { undo: written = [] } = this.#writing ?? {};
    const lost = [...(written.length > 0 && this.#random.below(2) === 0 ? [] : written), ...this.#undo];
    for (const { table, key, value } of lost.toReversed()) this.#write(table, key, value);
    this.#undo = [];
    this.#writing = undefined;
  }

  #isCommitted(): boolean {
    if (this.#writing !== undefined || this.#undo.length > 0) return false;
    this.#beforeCommit();
    return this.#undo.length === 0;
  }

  #commitWithin(delayMs: number): void {
    if (this.#isCommitDue && delayMs >= UNHURRIED_COMMIT_MS) return;
    this.#isCommitDue = true;
    this.#scheduler.after(delayMs, () => this.#commit());
  }

  #commit(): void {
    if (this.#isDead || !this.#isCommitDue || this.#writing !== undefined) return;
    this.#beforeCommit();
    this.#isCommitDue = false;
    this.#isHurried = false;
    this.#writing = { undo: this.#undo, waiting: this.#waiting };
    this.#undo = [];
    this.#waiting = [];
    if (!this.#commitsSlowly) return this.#finish();
    this.#scheduler.after(this.#random.below(SLOW_COMMIT_MS_MAX), () => this.#finish());
  }

  #finish(): void {
    const waiting = this.#writing?.waiting ?? [];
    this.#writing = undefined;
    if (this.#isDead) return;
    for (const resolve of waiting) resolve();
    this.#commit();
  }

  #write(table: TableName, key: string, value: RowValue): void {
    if (value === undefined) this.#rows.delete(table, key);
    else this.#rows.set(table, key, value);
  }
}
