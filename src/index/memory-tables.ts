// The index's tables in memory: for simulations and tests. Nothing is ever written anywhere.

import { RowMap } from "./row-map.ts";
import type { TableName, Tables } from "./tables.ts";

export class MemoryTables implements Tables {
  readonly uncommittedBytes = 0;
  readonly #rows = new RowMap();
  #beforeCommit: () => void = () => {};

  get(table: TableName, key: string): Uint8Array | undefined {
    return this.#rows.get(table, key);
  }

  set(table: TableName, key: string, value: Uint8Array | undefined): void {
    if (value === undefined) this.#rows.delete(table, key);
    else this.#rows.set(table, key, value);
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
    this.#beforeCommit();
    return Promise.resolve();
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.committed();
  }
}
