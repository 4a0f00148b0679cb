// Paths that the index has and the disk has no longer. Each waits for its second look, or for its content to turn up
// under another path: a move.

import { RACY_COARSE_MS, VANISHED_PATHS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { PathRecord, StatSignature } from "../index/entry.ts";
import { isCoarse } from "../index/signature.ts";
import type { ScannedChild } from "./scan-job.ts";

const COARSE_STEP_NS = BigInt(RACY_COARSE_MS) * 1_000_000n;

/** Bounded: what does not fit is left to the next scan. */
export class Vanished {
  readonly #paths = new Map<RelativePath, bigint | undefined>();
  readonly #byInode = new Map<bigint, RelativePath>();

  get size(): number {
    return this.#paths.size;
  }

  has(path: RelativePath): boolean {
    return this.#paths.has(path);
  }

  /** False if there is no room. */
  add({ path, signature }: PathRecord): boolean {
    if (!this.#paths.has(path) && this.#paths.size >= VANISHED_PATHS_MAX) return false;
    this.#paths.set(path, signature?.inode);
    if (signature !== undefined) this.#byInode.set(signature.inode, path);
    return true;
  }

  delete(path: RelativePath): void {
    const inode = this.#paths.get(path);
    this.#paths.delete(path);
    if (inode !== undefined && this.#byInode.get(inode) === path) this.#byInode.delete(inode);
  }

  clear(): void {
    this.#paths.clear();
    this.#byInode.clear();
  }

  /** A vanished path that had this inode. */
  byInode(inode: bigint): RelativePath | undefined {
    return this.#byInode.get(inode);
  }
}

/**
 * True if what is there now is what had `before` under another path: renaming changes a file's ctime alone. The number of
 * an inode that is free again goes to a new file, perhaps of the same size and time: that one was made later.
 */
export function isMoved(before: StatSignature | undefined, { signature: after, birthNs = 0n }: ScannedChild): boolean {
  if (before === undefined || after === undefined) return false;
  if (before.kind !== after.kind || before.inode !== after.inode) return false;
  if (before.size !== after.size || before.mtimeNs !== after.mtimeNs) return false;
  // Its signature has no times.
  if (after.kind === "directory") return true;
  // A coarse clock may show what was made later as made at the same time.
  const isSameStep = isCoarse(after) && after.ctimeNs - before.ctimeNs < COARSE_STEP_NS;
  return birthNs <= before.ctimeNs && !isSameStep;
}
