// What a replica knows of one path: the values that merge, index and wire pass around (docs/protocol.md, Entries).

import type { ContentHash, ReplicaId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { VersionVector } from "./version-vector.ts";

/** One change of one replica, anywhere: never used twice. */
export interface Dot {
  readonly replica: ReplicaId;
  readonly counter: number;
}

/** What a path holds. */
export type Content =
  | {
      readonly kind: "file";
      readonly contentId: ContentHash;
      /** Bytes. */
      readonly size: number;
      /** Permission bits, 0 to 0o7777. */
      readonly mode: number;
      /** Microseconds since 1970, possibly negative. */
      readonly mtimeUs: number;
    }
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "symlink"; readonly target: string };

/** One live state of one path, named by its dot. */
export interface Version {
  readonly dot: Dot;
  /** Hybrid logical time in ms; grows along causality. */
  readonly stamp: number;
  /** The friendly name of the instance that made it. */
  readonly author: string;
  readonly content: Content;
}

/** Everything known of one path. `live: undefined`: deleted, or (with an empty `seen`) never heard of. */
export interface Entry {
  readonly seen: VersionVector;
  readonly live: Version | undefined;
}

/** An entry with its path. */
export interface PathEntry {
  readonly path: RelativePath;
  readonly entry: Entry;
}

/** Nothing known, nothing seen. */
export const EMPTY_ENTRY: Entry = { seen: [], live: undefined };

/**
 * What `lstat` says of a file that is on this disk: equal signatures mean an unchanged file.
 * Never leaves this machine.
 */
export interface StatSignature {
  readonly kind: Content["kind"];
  /** Bytes. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

/** What is live on the disk at one path of the index, if that is easily told. */
export interface Presence {
  readonly path: RelativePath;
  /** `undefined`: the record has to be asked. */
  readonly signature: StatSignature | undefined;
}

/**
 * One path in the index. *Known* is the newest that this replica has heard of; *present* is what its disk holds.
 * They are the same object when nothing is pending.
 */
export interface PathRecord {
  readonly path: RelativePath;
  readonly known: Entry;
  readonly present: Entry;
  /** The stat of what is on disk; `undefined` when nothing is. */
  readonly signature: StatSignature | undefined;
  /**
   * A deleted directory that stays on disk because ignored files are in it: present says deleted, the disk says
   * directory, and that is no change.
   */
  readonly residue: boolean;
}
