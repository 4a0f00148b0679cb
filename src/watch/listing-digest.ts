// One number for everything that a scan sees of a directory's children: if it is the same as when they last were as the
// index says, and the index says the same still, nothing in it has to be compared again.

import { createHash } from "node:crypto";
import type { PackedChildren } from "./packed-children.ts";

/** Raised when a comparison of the same children, under the same rules, may come out otherwise. */
const VERSION = 1;
const DIGEST_BYTES = 16;

/**
 * 16 bytes, one per character. `rules`: what else the comparison depends on. `undefined` where the disk's spelling of a
 * name is another than ours, or a child cannot be looked at: these are compared each time.
 */
export function listingDigest(children: PackedChildren, rules: string): string | undefined {
  const { count, names, kinds, sizes, modes, timesNs, inodes } = children;
  if (children.problems.size > 0 || !names.isWellFormed() || names.normalize("NFC") !== names) return undefined;
  const hash = createHash("sha256").update(JSON.stringify([VERSION, rules, count, names]));
  // Symlinks' targets cannot change without their inode or times.
  for (const column of [kinds, sizes, modes, timesNs, inodes]) hash.update(column);
  return hash.digest().toString("latin1", 0, DIGEST_BYTES);
}
