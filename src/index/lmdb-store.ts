// The index store on disk (`.dsync/index/`): opening, marking it as in use, closing.
//
// Deleting that directory is always allowed (who has no history has no opinion), so every error here can say so.

import { DsyncError } from "../core/errors.ts";
import { LOST_DOTS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { checkRoom } from "./disk-room.ts";
import { damagedIndex, openEnvironment } from "./lmdb-environment.ts";
import { LmdbTables } from "./lmdb-tables.ts";
import { RecordStore } from "./record-store.ts";
import {
  loadState,
  markClosed,
  markRunning,
  newReplicaId,
  previousStop,
  type PreviousStop,
  type StoreState,
} from "./store-state.ts";

export interface LmdbStoreOptions {
  /** Absolute; made if it is missing. Two processes must not write to one: the folder's lock sees to that. */
  readonly directory: string;
  /** For the replica ID of a new index. */
  readonly random: Random;
  readonly clock: Clock;
  /** BLAKE3. */
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  /** Names this boot of the machine; empty if it is unknown (see edge/boot-id.ts). */
  readonly bootId: string;
  /** Free bytes of the disk that holds `directory`. Default: what the system says. */
  readonly freeBytes?: () => Promise<number>;
}

/**
 * Opens the index, or makes a new one. Rejects with a DsyncError `index` that says how to go on. From here until
 * `close` it counts as in use: whoever opens it after a crash is told so by `previousStop`.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<RecordStore> {
  const { directory, bootId } = options;
  const tables = await openTables(options);
  try {
    const stored = stateOf(tables, directory);
    const stop = previousStop(tables, bootId);
    const state = startingState({ stored, stop, options });
    const onClose = (): void => markClosed(tables);
    const store = new RecordStore({ tables, state, previousStop: stop, bootId, hash: options.hash, onClose });
    markRunning(tables, bootId);
    await store.committed();
    // No power loss may bring back the time before: the dots that are left out would come again.
    await tables.durable();
    return store;
  } catch (error) {
    await tables.abandon();
    throw error;
  }
}

/**
 * Opens an existing index for reading, also beside the instance that writes it. Records are read as they are committed;
 * the Merkle tree and the counts stay those of the moment of opening.
 */
export function openLmdbStoreReadOnly(options: Pick<LmdbStoreOptions, "directory" | "clock" | "hash">): RecordStore {
  const { directory, hash } = options;
  const tables = new LmdbTables(openEnvironment(directory, true), { ...options, readOnly: true });
  const state = stateOf(tables, directory);
  if (state === undefined) throw damagedIndex(directory, new Error("it is empty"));
  return new RecordStore({ tables, state, previousStop: "clean", bootId: "", hash, isShared: true, onClose: () => {} });
}

/**
 * After an unclean stop, dots may have been handed out that no commit tells of. They were at most a few beyond the
 * committed counter or the time, so those are left out; with a commit of its own, so that the next crash leaves out more.
 */
function startingState(start: {
  readonly stored: StoreState | undefined;
  readonly stop: PreviousStop;
  readonly options: LmdbStoreOptions;
}): StoreState {
  const { stored, stop, options } = start;
  if (stored === undefined)
    return { replicaId: newReplicaId(options.random), counter: 0, liveCount: 0, pendingCount: 0 };
  if (stop === "clean") return stored;
  return { ...stored, counter: Math.max(stored.counter, Math.floor(options.clock.now())) + LOST_DOTS_MAX };
}

async function openTables(options: LmdbStoreOptions): Promise<LmdbTables> {
  await checkRoom(options, 0);
  const environment = openEnvironment(options.directory, false);
  try {
    return new LmdbTables(environment, { ...options, readOnly: false });
  } catch (error) {
    await environment.close();
    throw damagedIndex(options.directory, error);
  }
}

function stateOf(tables: LmdbTables, directory: string): StoreState | undefined {
  try {
    return loadState(tables);
  } catch (error) {
    throw error instanceof DsyncError ? error : damagedIndex(directory, error);
  }
}
