// Every change of a record goes through here, so that the totals of what is pending are always at hand.

import type { PathRecord } from "./entry.ts";
import type { IndexStore } from "./index-store.ts";
import { isSettled, pendingBytes } from "./settle.ts";

/** Files (of any kind) and bytes that are known and not present. */
export interface PendingTotals {
  readonly files: number;
  readonly bytes: number;
}

export class Ledger {
  readonly store: IndexStore;
  #files = 0;
  #bytes = 0;

  /** Counts what is pending from an earlier run. */
  constructor(store: IndexStore) {
    this.store = store;
    for (const path of store.pending()) {
      const record = store.get(path);
      if (record !== undefined) this.#count(record, 1);
    }
  }

  get pending(): PendingTotals {
    return { files: this.#files, bytes: this.#bytes };
  }

  /** Stores `next` in place of `previous`, the record as it is stored now. */
  put(previous: PathRecord, next: PathRecord): void {
    this.#count(previous, -1);
    this.#count(next, 1);
    this.store.put(next);
  }

  #count(record: PathRecord, sign: 1 | -1): void {
    if (isSettled(record)) return;
    this.#files += sign;
    this.#bytes += sign * pendingBytes(record);
  }
}
