// The index's tables in LMDB, with an overlay: changes are visible at once and written in the background.
//
// Invariants:
// 1. A row is looked up in what waits, then in what is being written, then in LMDB. A layer is dropped only after LMDB
//    shows what it held, so a read never goes back in time.
// 2. Everything that waits is handed over as one LMDB transaction, in a macrotask of its own and so never in the middle of
//    a turn: soon after the first change, at once when somebody waits. At most one transaction is under way.
// 3. What could not be written (full disk) waits again, under what came later, and is tried again.
// 4. While the environment is opened anew, nothing reads: closing takes microtasks alone once all is flushed, and it begins
//    when no others are waiting.

import { clearImmediate, setImmediate } from "node:timers";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RootDatabase } from "lmdb";
import { invariant } from "../core/assert.ts";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { INDEX_COMMIT_DELAY_MS, INDEX_PAGE_KEYS, INDEX_RETRY_MS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import { checkRoom, type DiskRoomOptions } from "./disk-room.ts";
import { damagedIndex, dataFileOf, openEnvironment, openTable, type LmdbTable } from "./lmdb-environment.ts";
import { RowMap } from "./row-map.ts";
import { TABLE_NAMES, type TableName, type Tables } from "./tables.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Changes that are committed together, and who waits for that. */
class Batch {
  readonly rows = new RowMap();
  readonly waiters: Waiter[] = [];
}

export interface LmdbTablesOptions extends DiskRoomOptions {
  readonly clock: Clock;
  readonly readOnly: boolean;
}

/** Fewer reads than this touch no more than some megabytes of the file. */
const REMAP_READS_MIN = 1_000;

export class LmdbTables implements Tables {
  #environment: RootDatabase;
  #tables: ReadonlyMap<TableName, LmdbTable>;
  readonly #options: LmdbTablesOptions;
  /** See {@link dataFileOf}. */
  readonly #dataFile: string | undefined;
  /** Since the file was mapped. */
  #reads = 0;
  #waiting = new Batch();
  #writing: Batch | undefined;
  /** The next commit, if it comes at once. */
  #next: NodeJS.Immediate | undefined;
  /** The next commit, if it has time. */
  #later: Timer | undefined;
  #closed = false;
  #beforeCommit: () => void = () => {};

  constructor(environment: RootDatabase, options: LmdbTablesOptions) {
    this.#environment = environment;
    this.#tables = openTables(environment);
    this.#dataFile = dataFileOf(options.directory);
    this.#options = options;
  }

  get uncommittedBytes(): number {
    return this.#waiting.rows.bytes + (this.#writing?.rows.bytes ?? 0);
  }

  get(table: TableName, key: string): Uint8Array | undefined {
    const row = this.#uncommitted(table, key);
    return row === undefined ? this.#read(() => this.#table(table).getBinary(key)) : row.value;
  }

  set(table: TableName, key: string, value: Uint8Array | undefined): void {
    invariant(!this.#closed && !this.#options.readOnly, "an index that is closed or read-only is written");
    this.#waiting.rows.set(table, key, value);
    if (this.#writing === undefined && this.#next === undefined) this.#commitAfter(INDEX_COMMIT_DELAY_MS);
  }

  *keys(table: TableName, prefix: string): Iterable<string> {
    const overlay = [...new Set([...this.#waiting.rows.keys(table, prefix), ...this.#writingKeys(table, prefix)])];
    if (overlay.length === 0) return yield* this.#storedKeys(table, prefix);
    overlay.sort();
    let next = 0;
    for (const key of this.#storedKeys(table, prefix)) {
      for (let first = overlay[next]; first !== undefined && first <= key; first = overlay[++next]) {
        if (first < key && this.#has(table, first)) yield first;
      }
      if (this.#has(table, key)) yield key;
    }
    for (const key of overlay.slice(next)) if (this.#has(table, key)) yield key;
  }

  beforeCommit(action: () => void): void {
    this.#beforeCommit = action;
  }

  committed(): Promise<void> {
    if (this.#options.readOnly) return Promise.resolve();
    invariant(!this.#closed, "an index that is closed is committed");
    if (this.#isCommitted()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.waiters.push({ resolve, reject });
      this.#commitNext();
    });
  }

  /** Resolves when what was committed is on the disk itself, and would survive a power loss. */
  async durable(): Promise<void> {
    await this.#environment.flushed;
  }

  /** Maps the file anew: what was read of it then counts as the system's cache, and no longer as this process's memory. */
  async release(): Promise<void> {
    if (this.#reads < REMAP_READS_MIN) return;
    await this.#environment.flushed;
    await nextTurn();
    if (this.#closed || this.#writing !== undefined) return;
    const { directory, readOnly } = this.#options;
    // Deleted, or on a disk that is not mounted any more: what is open is all there is.
    if (dataFileOf(directory) !== this.#dataFile) return;
    await this.#environment.close();
    if (this.#closed) return;
    this.#environment = openEnvironment(directory, readOnly);
    this.#tables = openTables(this.#environment);
    this.#reads = 0;
  }

  async close(): Promise<void> {
    try {
      await this.committed();
    } finally {
      await this.abandon();
    }
  }

  /** Closes without another commit. */
  async abandon(): Promise<void> {
    this.#closed = true;
    this.#later?.clear();
    clearImmediate(this.#next);
    await this.#environment.close();
  }

  #isCommitted(): boolean {
    if (this.#writing !== undefined || this.#waiting.rows.rows > 0) return false;
    // What the owner of the tables has not handed over yet counts, too.
    this.#beforeCommit();
    return this.#waiting.rows.rows === 0;
  }

  #read<T>(action: () => T): T {
    this.#reads++;
    try {
      return action();
    } catch (error) {
      throw damagedIndex(this.#options.directory, error);
    }
  }

  #table(name: TableName): LmdbTable {
    const table = this.#tables.get(name);
    invariant(table !== undefined, `no table is called ${name}`);
    return table;
  }

  #uncommitted(table: TableName, key: string): ReturnType<RowMap["find"]> {
    return this.#waiting.rows.find(table, key) ?? this.#writing?.rows.find(table, key);
  }

  /** True unless the newest change of this key, if it is in the overlay, removed it. */
  #has(table: TableName, key: string): boolean {
    const row = this.#uncommitted(table, key);
    return row === undefined ? this.#read(() => this.#table(table).doesExist(key)) : row.value !== undefined;
  }

  #writingKeys(table: TableName, prefix: string): readonly string[] {
    return this.#writing?.rows.keys(table, prefix) ?? [];
  }

  /** Page by page, so that an iteration that is left open holds no old state of the database. */
  *#storedKeys(table: TableName, prefix: string): Iterable<string> {
    // No key begins with a NUL only; LMDB allows no empty one.
    let start = prefix === "" ? "\0" : prefix;
    const end = keyAfter(prefix);
    for (;;) {
      const range = { start, limit: INDEX_PAGE_KEYS, ...(end === undefined ? {} : { end }) };
      const page = this.#read(() => [...this.#table(table).getKeys(range)]);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < INDEX_PAGE_KEYS) return;
      start = `${last}\0`;
    }
  }

  #commitAfter(delayMs: number): void {
    this.#later ??= this.#options.clock.after(delayMs, () => this.#commitNext());
  }

  #commitNext(): void {
    this.#later?.clear();
    this.#later = undefined;
    if (this.#closed || this.#writing !== undefined) return;
    this.#next ??= setImmediate(() => {
      // Rows that `beforeCommit` sets belong to this commit: they must not start another one.
      this.#beforeCommit();
      this.#next = undefined;
      void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    const batch = this.#waiting;
    this.#writing = batch;
    this.#waiting = new Batch();
    let retryMs = INDEX_COMMIT_DELAY_MS;
    try {
      if (batch.rows.rows > 0) await this.#write(batch.rows);
      for (const { resolve } of batch.waiters) resolve();
    } catch (error) {
      this.#putBack(batch, error);
      retryMs = INDEX_RETRY_MS;
    }
    this.#writing = undefined;
    if (this.#closed) return;
    if (this.#waiting.waiters.length > 0) this.#commitNext();
    else if (this.#waiting.rows.rows > 0) this.#commitAfter(retryMs);
  }

  async #write(rows: RowMap): Promise<void> {
    // Copied B-tree pages come on top of the rows.
    await checkRoom(this.#options, 4 * rows.bytes);
    try {
      await this.#environment.batch(() => {
        rows.forEach((name, key, value) => {
          // Resolved by the batch's own promise.
          if (value === undefined) void this.#table(name).remove(key);
          else void this.#table(name).put(key, value);
        });
      });
    } catch (error) {
      throw await this.#commitError(error);
    }
    // What this process reads next must not come from a snapshot that is older than the commit (invariant 1).
    this.#environment.resetReadTxn();
  }

  async #commitError(error: unknown): Promise<DsyncError> {
    const cause = await causeOf(error);
    return new DsyncError(
      "index",
      `Cannot write the index in ${this.#options.directory}: ${messageOf(cause)} (${errnoOf(cause) ?? "LMDB"}). ` +
        "Check the disk, and that it is not full; dsync tries again by itself.",
      { cause },
    );
  }

  #putBack(batch: Batch, error: unknown): void {
    const later = this.#waiting;
    this.#waiting = batch;
    later.rows.forEach((table, key, value) => batch.rows.set(table, key, value));
    const failure = error instanceof Error ? error : new Error(String(error));
    for (const { reject } of batch.waiters.splice(0)) reject(failure);
    batch.waiters.push(...later.waiters);
  }
}

function openTables(environment: RootDatabase): ReadonlyMap<TableName, LmdbTable> {
  return new Map(TABLE_NAMES.map((name) => [name, openTable(environment, name)]));
}

/** lmdb rejects with a general error that carries a promise, itself rejected with the reason. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

/** The smallest key after all that begin with `prefix`; `undefined` if there is none. */
function keyAfter(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xff) return prefix.slice(0, length - 1) + String.fromCharCode(last + 1);
  }
  return undefined;
}
