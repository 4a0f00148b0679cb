// The records that were used last, decoded: one change of a path reads its record many times within moments.

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

/** Forgets the oldest beyond its size. */
export class RecentRecords {
  readonly #sizeMax: number;
  readonly #records = new Map<RelativePath, RecentRecord>();

  /** `sizeMax` 0: remembers nothing. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(path: RelativePath): RecentRecord | undefined {
    return this.#records.get(path);
  }

  set(path: RelativePath, recent: RecentRecord): void {
    this.#records.delete(path);
    this.#records.set(path, recent);
    if (this.#records.size <= this.#sizeMax) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }

  clear(): void {
    this.#records.clear();
  }
}
