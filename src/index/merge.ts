// The merge of two entries of one path (docs/protocol.md, Merge): pure, total, and the same everywhere.
//
// Why the order of arrival does not matter: a stamp is greater than every stamp that its version was made on top of
// (local-change.ts), so "greatest stamp" never contradicts "made on top of"; and what loses without having been seen
// lives on as an entry of its own, under a path that depends on the loser alone.

import { createHash } from "node:crypto";
import { REPLICA_ID_BYTES, replicaIdFromBytes } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import { conflictPath } from "./conflict-path.ts";
import { contentEqual, sameContent } from "./content.ts";
import { EMPTY_ENTRY, type Content, type Dot, type Entry, type PathEntry, type Version } from "./entry.ts";
import { boundedVector, hasSeen, joinVectors, vectorsEqual } from "./version-vector.ts";

export interface Merged {
  /** The very object `a` if `b` brings nothing new; else the very object `b` if it says it all. */
  readonly merged: Entry;
  /** The version that lost without having been seen, under its conflict path: to be merged there like any other. */
  readonly conflict: PathEntry | undefined;
}

/** What is known of `path` after hearing both. Commutative in all but object identity, and idempotent. */
export function mergeEntries(a: Entry, b: Entry, path: RelativePath): Merged {
  if (a === b) return { merged: a, conflict: undefined };
  const left = survivor(a, b);
  const right = survivor(b, a);
  if (left === undefined || right === undefined) return { merged: joined(a, b, left ?? right), conflict: undefined };
  const order = compareVersions(left, right);
  const [winner, loser] = order >= 0 ? [left, right] : [right, left];
  const isConflict = !dotsEqual(left.dot, right.dot) && !sameContent(left.content, right.content);
  // A directory has no content of its own: what it holds are entries, and repairs.ts brings it back for them.
  const isLoss = isConflict && loser.content.kind !== "directory";
  return {
    merged: joined(a, b, winner),
    conflict: isLoss ? conflictEntry(path, loser) : undefined,
  };
}

/**
 * Merges `item`, and the conflict copies that this makes, into what `get` knows. Returns the entries that change, each
 * path at most once; nothing if it was all known. Ends, because a loser never gets the same conflict path twice.
 */
export function mergeInto(get: (path: RelativePath) => Entry | undefined, item: PathEntry): PathEntry[] {
  const changed = new Map<RelativePath, Entry>();
  let next: PathEntry | undefined = item;
  while (next !== undefined) {
    const { path, entry }: PathEntry = next;
    const known = changed.get(path) ?? get(path) ?? EMPTY_ENTRY;
    const { merged, conflict } = mergeEntries(known, entry, path);
    if (merged !== known) changed.set(path, merged);
    next = conflict;
  }
  return Array.from(changed, ([path, entry]) => ({ path, entry }));
}

/**
 * `loser`, a version of `path`, as an entry of its own. Under its new path it gets a dot of its own, the same
 * everywhere: the counter of a replica orders what that replica did at one path, and this it did at another
 * (docs/decisions/0009).
 */
export function conflictEntry(path: RelativePath, loser: Version): PathEntry {
  const dot = copyDot(loser.dot);
  return {
    path: conflictPath(path, loser),
    entry: { seen: [[dot.replica, dot.counter]], live: { ...loser, dot } },
  };
}

/** True if both say the same, down to the last field. */
export function entriesEqual(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (!vectorsEqual(a.seen, b.seen)) return false;
  if (a.live === undefined || b.live === undefined) return a.live === b.live;
  return versionsEqual(a.live, b.live);
}

/** True if the same version is live in both, or none in either. */
export function sameLive(a: Entry, b: Entry): boolean {
  if (a.live === undefined || b.live === undefined) return a.live === b.live;
  return dotsEqual(a.live.dot, b.live.dot);
}

/** True if both name the same change. */
export function dotsEqual(a: Dot, b: Dot): boolean {
  return a.counter === b.counter && a.replica === b.replica;
}

/** The live version of `entry`, unless `other` has seen it and it is not live there any more. */
function survivor(entry: Entry, other: Entry): Version | undefined {
  const { live } = entry;
  if (live === undefined || !hasSeen(other.seen, live.dot)) return live;
  return other.live !== undefined && dotsEqual(live.dot, other.live.dot) ? live : undefined;
}

function joined(a: Entry, b: Entry, live: Version | undefined): Entry {
  const seen = boundedVector(joinVectors(a.seen, b.seen), live?.dot.replica);
  if (vectorsEqual(seen, a.seen) && isSameVersion(live, a.live)) return a;
  if (isSameVersion(live, b.live) && vectorsEqual(seen, b.seen)) return b;
  return { seen, live };
}

/** The dot of the copy of the version `dot` at its conflict path: of a replica that makes nothing else. */
export function copyDot({ replica, counter }: Dot): Dot {
  const hash = createHash("sha256").update(`dsync conflict copy ${replica} ${counter}`).digest();
  return { replica: replicaIdFromBytes(hash.subarray(0, REPLICA_ID_BYTES)), counter };
}

function isSameVersion(a: Version | undefined, b: Version | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && versionsEqual(a, b));
}

function versionsEqual(a: Version, b: Version): boolean {
  return dotsEqual(a.dot, b.dot) && a.stamp === b.stamp && a.author === b.author && contentEqual(a.content, b.content);
}

/**
 * By (stamp, replica ID). The rest decides only between versions that honest replicas never make, so that even then
 * all choose the same.
 */
function compareVersions(a: Version, b: Version): number {
  return (
    a.stamp - b.stamp ||
    compareTexts(a.dot.replica, b.dot.replica) ||
    a.dot.counter - b.dot.counter ||
    compareTexts(a.author, b.author) ||
    compareTexts(contentKey(a.content), contentKey(b.content))
  );
}

function contentKey(content: Content): string {
  switch (content.kind) {
    case "file":
      return `file ${content.contentId} ${content.size} ${content.mode} ${content.mtimeUs}`;
    case "directory":
      return `directory ${content.mode}`;
    case "symlink":
      return `symlink ${content.target}`;
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
