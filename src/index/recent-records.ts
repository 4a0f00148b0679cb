// The records that were used last, decoded: one change of a path reads its record many times within moments.
//
// Two generations: what is used goes to the young one, and when that is full the old one is dropped as a whole. A single
// map in the order of use costs ten times as much when it is full, since V8 looks past all that was deleted to find the oldest.

import { RECENT_PATHS_LENGTH_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "./entry.ts";

/** What is known of one path without asking the tables. */
export interface RecentRecord {
  /** Key of the path in the tables. */
  readonly key: string;
  /** `undefined`: there is none. */
  readonly record: PathRecord | undefined;
  /** Of the record's known entry. */
  readonly fingerprint: Uint8Array | undefined;
  /** See `packEntry`; `undefined`: not at hand, or large. */
  readonly packedKnown: Uint8Array | undefined;
}

/** Keeps at least half of `sizeMax` records, those that were used last, and at most `sizeMax`; fewer if their paths are long. */
export class RecentRecords {
  readonly #generationMax: number;
  /** Characters of the paths of the young ones. */
  #youngLength = 0;
  #young = new Map<RelativePath, RecentRecord>();
  #old = new Map<RelativePath, RecentRecord>();

  /** `sizeMax` 0: remembers nothing. */
  constructor(sizeMax: number) {
    this.#generationMax = sizeMax / 2;
  }

  get(path: RelativePath): RecentRecord | undefined {
    const young = this.#young.get(path);
    if (young !== undefined) return young;
    const old = this.#old.get(path);
    if (old !== undefined) this.set(path, old);
    return old;
  }

  set(path: RelativePath, recent: RecentRecord): void {
    if (this.#generationMax === 0) return;
    const size = this.#young.size;
    this.#young.set(path, recent);
    if (this.#young.size > size) this.#youngLength += path.length;
    if (this.#young.size < this.#generationMax && this.#youngLength < RECENT_PATHS_LENGTH_MAX / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngLength = 0;
  }

  clear(): void {
    this.#young.clear();
    this.#youngLength = 0;
    this.#old.clear();
  }
}
