// The index of one replica as the rest of dsync uses it: an interface with two implementations that pass one contract
// suite (LMDB: lmdb-store.ts, in memory: memory-store.ts).
//
// Invariants:
// 1. Reads see every earlier write of this process, committed or not.
// 2. What was put in one turn of the event loop is committed together: after a crash all of it is there, or none.
// 3. A dot handed out is never handed out again, not even after a crash at any point.
// 4. After `committed()` resolves, all that was put before the call survives a crash of this process.

import type { ContentHash, ReplicaId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { Dot, Entry, PathRecord, Presence } from "./entry.ts";
import type { MerkleTree } from "./merkle.ts";
import type { Superseded } from "./superseded.ts";

/** Where content can be found on this disk. */
export type ContentLocation =
  | { readonly kind: "tree"; readonly path: RelativePath }
  /** `diskPath`: relative to the folder, below `.dsync/trash/`. */
  | { readonly kind: "trash"; readonly diskPath: string };

/** Where a chunk can be found: inside the content that `contentId` names. */
export interface ChunkLocation {
  readonly contentId: ContentHash;
  /** Bytes from the start of that content. */
  readonly offset: number;
}

/** A path that was brought up to date by ourselves, and that a power loss may still undo or damage. */
export interface Mark {
  readonly path: RelativePath;
  /** False: the machine was started anew since, so the disk may hold less than was written. */
  readonly isOfThisBoot: boolean;
  /** What the path held before each change since the last checkpoint, the oldest first; the last few. */
  readonly before: readonly Entry[];
}

/** One row of what is known to be where. */
export interface LocationRow {
  /** Names the row for `removeLocation`. */
  readonly key: string;
  /** Relative to the folder, if the content is in the trash. */
  readonly inTrash: string | undefined;
}

export interface IndexStore {
  readonly replicaId: ReplicaId;
  /** Fingerprints of the known entries, always up to date with `put`. */
  readonly merkle: MerkleTree;
  /** Known entries that are live. */
  readonly liveCount: number;

  get(path: RelativePath): PathRecord | undefined;
  /** Stores a record whole. Known, present and the secondary indexes (children, contents, pending, Merkle) follow. */
  put(record: PathRecord): void;
  /** Removes a record that is of no use to anybody any more (a tombstone past its time). */
  remove(path: RelativePath): void;

  /**
   * Gives memory back that only makes the next look at the same records faster. Rejects with a DsyncError `index` if the
   * index cannot be used any more.
   */
  release(): Promise<void>;

  /** A fresh dot: counter `max(last + 1, nowMs)`. */
  nextDot(nowMs: number): Dot;

  /** Records directly inside `directory` (`undefined`: the top), in no particular order. */
  children(directory: RelativePath | undefined): Iterable<PathRecord>;
  /** The paths of `children`, with no more of each than most looks at the disk need: several times cheaper. */
  presentIn(directory: RelativePath | undefined): Iterable<Presence>;
  /**
   * The sum (listing-sum.ts) of what a scan finds in this directory, under these ignore rules, if it would find nothing to
   * look at. Another sum only means that the directory has to be compared.
   */
  listing(directory: RelativePath | undefined, rules: string): string;
  /** A scan found what has this sum, and nothing to look at: what is not in the index is expected from now on. */
  noteListing(directory: RelativePath | undefined, rules: string, found: string): void;
  /** Records in the Merkle subtree of `prefix` (0, 1 or 2 bytes), in ascending order of their path hash. */
  inSubtree(prefix: readonly number[]): Iterable<PathRecord>;
  /** The paths of `inSubtree`, several times cheaper. */
  pathsIn(prefix: readonly number[]): Iterable<RelativePath>;
  /** The record whose path has this 16-byte hash (see merkle.ts). */
  byPathHash(hash: Uint8Array): PathRecord | undefined;
  /** Paths whose known and present entries differ in their live version, in no particular order. */
  pending(): Iterable<RelativePath>;
  readonly pendingCount: number;

  /** Places on this disk that hold (or recently held: the caller verifies) this content. */
  locationsOf(contentId: ContentHash): Iterable<ContentLocation>;
  putTrashLocation(contentId: ContentHash, diskPath: string): void;
  removeTrashLocation(contentId: ContentHash, diskPath: string): void;

  /** The encoded manifest of a content of several chunks, if it is known here. */
  manifest(contentId: ContentHash): Uint8Array | undefined;
  /** Stores a verified manifest. */
  putManifest(contentId: ContentHash, manifest: Uint8Array): void;
  /**
   * The content is on this disk now: where its chunks are is to be found through it. Not before that: until then they are
   * found through what it is made of.
   */
  putChunkLocations(contentId: ContentHash): void;
  chunkLocation(chunk: ContentHash): ChunkLocation | undefined;

  /** Every place of every content, in no particular order: for tidying up. */
  locations(): Iterable<LocationRow>;
  /** Forgets a place in the trash; what is in the tree follows its record. */
  removeLocation(row: LocationRow): void;
  /** The contents that have a manifest, in no particular order. */
  manifestIds(): Iterable<ContentHash>;
  /** True if `locationsOf` may have something. */
  isHeld(contentId: ContentHash): boolean;
  /** Forgets a manifest and what it said of chunks. It can be asked for again. */
  removeManifest(contentId: ContentHash): void;

  /**
   * Notes that the path was changed by ourselves and is not known to be on the disk itself; `before`: its present entry
   * so far. The path has a record by the end of this turn; the mark goes with it.
   */
  mark(path: RelativePath, before: Entry): void;
  /** Takes the mark away: the path is durable, or somebody else's now. With `expected`, only if it was not marked again since. */
  unmark(path: RelativePath, expected?: Mark): void;
  isMarked(path: RelativePath): boolean;
  /** All marks, directory by directory. */
  marks(): Iterable<Mark>;
  /** Those that were made before the machine was started anew. Reads nothing if the last time there were none. */
  marksOfOtherBoots(): Iterable<Mark>;

  /** What local changes replaced, committed together with them. */
  readonly superseded: Superseded;

  /** Small values by name (settings of this replica, checkpoints). */
  getMeta(name: string): Uint8Array | undefined;
  putMeta(name: string, value: Uint8Array): void;

  /** What waits in memory for a commit, roughly: while nothing can be written, this grows with every change. */
  readonly uncommittedBytes: number;
  /** See invariant 4. Rejects with a DsyncError `index` if the disk is full or failing; what was put stays readable and is tried again. */
  committed(): Promise<void>;
  close(): Promise<void>;
}
