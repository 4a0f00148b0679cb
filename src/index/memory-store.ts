// The index store in memory, for simulations and tests: the same store over tables that nothing writes to a disk.

import type { ReplicaId } from "../core/ids.ts";
import { MemoryTables } from "./memory-tables.ts";
import { RecordStore } from "./record-store.ts";
import { loadState, type PreviousStop } from "./store-state.ts";

export interface MemoryStoreOptions {
  readonly replicaId: ReplicaId;
  /** BLAKE3: peers compare fingerprints. */
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** The tables of an earlier store, to play a restart; they keep their replica ID. */
  readonly tables?: MemoryTables;
  /** Another one than the earlier store's plays a restart of the machine. */
  readonly bootId?: string;
  /** What the store is told of the use of the tables before this one. The default is a clean stop. */
  readonly previousStop?: PreviousStop;
}

export function createMemoryStore(options: MemoryStoreOptions): RecordStore {
  const tables = options.tables ?? new MemoryTables();
  const stored = loadState(tables);
  const state = stored ?? { replicaId: options.replicaId, counter: 0, liveCount: 0, pendingCount: 0 };
  return new RecordStore({
    tables,
    state,
    hash: options.hash,
    bootId: options.bootId ?? "the only boot",
    previousStop: stored === undefined ? "none" : (options.previousStop ?? "clean"),
    onClose: () => {},
  });
}
