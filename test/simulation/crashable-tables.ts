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

/** One run's use of `rows`, which outlive it. */
export class CrashableTables implements Tables {
  readonly uncommittedBytes = 0;
  readonly #rows: RowMap;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;
  readonly #undo: Undo[] = [];
  #waiting: (() => void)[] = [];
  #beforeCommit: () => void = () => {};
  #isHurried = false;
  #isCommitDue = false;
  #isDead = false;

  constructor(options: { readonly rows: RowMap; readonly scheduler: Scheduler; readonly random: Prng }) {
    this.#rows = options.rows;
    this.#scheduler = options.scheduler;
    this.#random = options.random;
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

  /** The process is gone: so is what it had not committed. */
  crash(): void {
    this.#isDead = true;
    for (const { table, key, value } of this.#undo.toReversed()) this.#write(table, key, value);
    this.#undo.length = 0;
  }

  #commitWithin(delayMs: number): void {
    if (this.#isCommitDue && delayMs >= UNHURRIED_COMMIT_MS) return;
    this.#isCommitDue = true;
    this.#scheduler.after(delayMs, () => this.#commit());
  }

  #commit(): void {
    if (this.#isDead || !this.#isCommitDue) return;
    this.#beforeCommit();
    this.#isCommitDue = false;
    this.#isHurried = false;
    this.#undo.length = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #write(table: TableName, key: string, value: RowValue): void {
    if (value === undefined) this.#rows.delete(table, key);
    else this.#rows.set(table, key, value);
  }
}
