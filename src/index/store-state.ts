// What the index keeps about the replica itself, besides its records: replica ID, counter, counts, Merkle pages, and
// whether it was closed.

import { REPLICA_ID_BYTES, idBytes, replicaIdFromBytes, type ReplicaId } from "../core/ids.ts";
import type { Random } from "../edge/random.ts";
import { CHILDREN_PER_NODE, MerkleTree } from "./merkle.ts";
import type { Tables } from "./tables.ts";

/** How the last use of an index ended. `none`: it is new. `power-loss`: on another boot of this machine, or unknown. */
export type PreviousStop = "none" | "clean" | "crash" | "power-loss";

export interface StoreState {
  readonly replicaId: ReplicaId;
  /** The last dot's. */
  readonly counter: number;
  readonly liveCount: number;
  readonly pendingCount: number;
}

/** Raised when an older dsync could no longer read what this one writes. */
const FORMAT = 1;
const STATE_KEY = "state";
const RUNNING_KEY = "running";
const MERKLE_KEY = "merkle";
const MARKS_BOOT_KEY = "marks boot";
const STATE_BYTES = 1 + REPLICA_ID_BYTES + 3 * 8;

/** Returns `undefined` if the tables are new. Throws an Error if they are not an index that this dsync can read. */
export function loadState(tables: Tables): StoreState | undefined {
  const bytes = tables.get("state", STATE_KEY);
  if (bytes === undefined) {
    for (const _ of tables.keys("records", "")) throw new Error("it has records, but no replica");
    return undefined;
  }
  if (bytes[0] !== FORMAT) throw new Error(`it has format ${bytes[0]}, and this dsync reads format ${FORMAT}`);
  if (bytes.length !== STATE_BYTES) throw new Error("its state has the wrong length");
  const buffer = Buffer.from(bytes);
  const numberAt = (index: number): number => buffer.readDoubleBE(1 + REPLICA_ID_BYTES + index * 8);
  return {
    replicaId: replicaIdFromBytes(buffer.subarray(1, 1 + REPLICA_ID_BYTES)),
    counter: numberAt(0),
    liveCount: numberAt(1),
    pendingCount: numberAt(2),
  };
}

export function saveState(tables: Tables, state: StoreState): void {
  const bytes = Buffer.alloc(STATE_BYTES);
  bytes[0] = FORMAT;
  bytes.set(idBytes(state.replicaId), 1);
  for (const [index, number] of [state.counter, state.liveCount, state.pendingCount].entries()) {
    bytes.writeDoubleBE(number, 1 + REPLICA_ID_BYTES + index * 8);
  }
  tables.set("state", STATE_KEY, bytes);
}

export function newReplicaId(random: Random): ReplicaId {
  return replicaIdFromBytes(random.bytes(REPLICA_ID_BYTES));
}

export function loadMerkle(tables: Tables): MerkleTree {
  const pages: [number, Uint8Array][] = [];
  for (let first = 0; first < CHILDREN_PER_NODE; first++) {
    const page = tables.get("state", pageKey(first));
    if (page !== undefined) pages.push([first, page]);
  }
  return MerkleTree.fromPages(pages);
}

/** Stores the pages that changed. */
export function saveMerkle(tables: Tables, merkle: MerkleTree): void {
  for (const first of merkle.takeDirtyPages()) tables.set("state", pageKey(first), merkle.exportPage(first));
}

/** `bootId`: empty if unknown. */
export function previousStop(tables: Tables, bootId: string): PreviousStop {
  if (tables.get("state", STATE_KEY) === undefined) return "none";
  const running = tables.get("state", RUNNING_KEY);
  if (running === undefined) return "clean";
  return bootId !== "" && Buffer.from(running).toString() === `:${bootId}` ? "crash" : "power-loss";
}

/** True if the index was in use, and nobody closed it. */
export function isUnclean(stop: PreviousStop): boolean {
  return stop === "crash" || stop === "power-loss";
}

/** From here until {@link markClosed} is committed, a stop counts as unclean. */
export function markRunning(tables: Tables, bootId: string): void {
  tables.set("state", RUNNING_KEY, Buffer.from(`:${bootId}`));
}

export function markClosed(tables: Tables): void {
  tables.set("state", RUNNING_KEY, undefined);
}

/** The tag of the boot that every mark is of; empty if they may be of several. No two boots of a machine have one tag. */
export function loadMarksBoot(tables: Tables): Uint8Array {
  return tables.get("state", MARKS_BOOT_KEY) ?? new Uint8Array(0);
}

export function saveMarksBoot(tables: Tables, bootTag: Uint8Array | undefined): void {
  tables.set("state", MARKS_BOOT_KEY, bootTag);
}

function pageKey(first: number): string {
  return MERKLE_KEY + String.fromCharCode(first);
}
