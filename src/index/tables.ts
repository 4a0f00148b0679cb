// The sorted key-value tables under the index store, as an interface with two implementations: in memory
// (memory-tables.ts) and LMDB with an overlay of what is not committed yet (lmdb-tables.ts).
//
// Keys are strings that hold one byte per character (latin1): they compare like the bytes, fit a Map, and are
// put together with `+`. Values are bytes that nobody changes after they were handed over.

/** Everything that the index consists of. */
export const TABLE_NAMES = [
  "records", // path hash → record
  "children", // path hash of the parent + path hash → nothing
  "contents", // half a content ID + hash of the place → where it is
  "pending", // path hash → nothing
  "manifests", // content ID → encoded manifest
  "chunks", // half a chunk's hash → content ID + offset
  "marks", // path hash of the parent + path hash → what was there before the changes since the last checkpoint
  "superseded", // slot → the dot of a copy that nobody is owed
  "meta", // name → value, for the rest of dsync
  "state", // the store's own: format, replica ID, counters, Merkle pages, what is in each directory
] as const;

export type TableName = (typeof TABLE_NAMES)[number];

export interface Tables {
  /** The newest value, committed or not. */
  get(table: TableName, key: string): Uint8Array | undefined;
  /** `undefined` removes. All changes of one turn of the event loop are committed together. */
  set(table: TableName, key: string, value: Uint8Array | undefined): void;
  /**
   * The keys that begin with `prefix`, ascending. May be left and resumed at any time, with changes in between:
   * a key that is there from beginning to end comes once, others at most once.
   */
  keys(table: TableName, prefix: string): Iterable<string>;
  /** What waits in memory for a commit, roughly. It grows while nothing can be written. */
  readonly uncommittedBytes: number;
  /** `action` runs before each commit, and may `set` rows that belong to it. */
  beforeCommit(action: () => void): void;
  /** Resolves when all earlier changes survive a crash; rejects with a DsyncError `index`, and tries again later. */
  committed(): Promise<void>;
  /** Gives memory back that is quickly had again. Rejects with a DsyncError `index`, and then nothing can be read. */
  release(): Promise<void>;
  /** Commits and closes. */
  close(): Promise<void>;
}

/** Bytes as a key. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A key as bytes. */
export function bytesOf(key: string): Buffer {
  return Buffer.from(key, "latin1");
}
