// Version vectors: replica ID → counter, everything that a state has taken into account. Pure values.

import type { ReplicaId } from "../core/ids.ts";
import { VECTOR_ITEMS_MAX } from "../core/limits.ts";
import type { Dot } from "./entry.ts";

/** Pairs in ascending order of replica ID, each replica once, counters above 0. */
export type VersionVector = readonly (readonly [replica: ReplicaId, counter: number])[];

/** No replica has this ID: under it, a tombstone's vector keeps the stamp that it deleted (docs/decisions/0002). */
const DELETED_STAMP = "0000000000000000" as ReplicaId;

/** The counter of `replica`, 0 if it is not in the vector. */
export function counterOf(vector: VersionVector, replica: ReplicaId): number {
  for (const [id, counter] of vector) if (id === replica) return counter;
  return 0;
}

/** True if `vector` has taken the change `dot` into account. */
export function hasSeen(vector: VersionVector, dot: Dot): boolean {
  return counterOf(vector, dot.replica) >= dot.counter;
}

/** The vector with `dot` taken into account. */
export function withDot(vector: VersionVector, dot: Dot): VersionVector {
  return joinVectors(vector, [[dot.replica, dot.counter]]);
}

/** The greatest counter of any replica, 0 if there is none. */
export function latestCounter(vector: VersionVector): number {
  return vector.reduce((latest, [, counter]) => Math.max(latest, counter), 0);
}

/** The vector of a tombstone: what was deleted had `stamp`, and whatever is made again there must get a greater one. */
export function withDeletedStamp(vector: VersionVector, stamp: number): VersionVector {
  return latestCounter(vector) >= stamp ? vector : withDot(vector, { replica: DELETED_STAMP, counter: stamp });
}

/** The element-wise maximum. Returns `a` itself if nothing of `b` is new. */
export function joinVectors(a: VersionVector, b: VersionVector): VersionVector {
  if (a === b || b.every(([replica, counter]) => counterOf(a, replica) >= counter)) return a;
  const joined: (readonly [ReplicaId, number])[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (right === undefined || (left !== undefined && left[0] < right[0])) {
      if (left !== undefined) joined.push(left);
      i++;
    } else if (left === undefined || right[0] < left[0]) {
      joined.push(right);
      j++;
    } else {
      joined.push(left[1] >= right[1] ? left : right);
      i++;
      j++;
    }
  }
  return joined;
}

/**
 * At most VECTOR_ITEMS_MAX pairs: those with the greatest counters, and in any case that of `kept`. Whoever puts together
 * what others claim needs this. What is forgotten counts as not seen: that costs a conflict copy, never a content.
 * Joining and bounding in any order gives the same, since a pair that is left out never becomes one of the greatest.
 */
export function boundedVector(vector: VersionVector, kept: ReplicaId | undefined): VersionVector {
  if (vector.length <= VECTOR_ITEMS_MAX) return vector;
  const least = vector
    .filter(([replica]) => replica !== kept)
    .toSorted(([a, m], [b, n]) => m - n || (a < b ? -1 : 1))
    .slice(0, vector.length - VECTOR_ITEMS_MAX);
  const left = new Set(least);
  return vector.filter((item) => !left.has(item));
}

/** True if both hold the same pairs. */
export function vectorsEqual(a: VersionVector, b: VersionVector): boolean {
  return a === b || (a.length === b.length && a.every(([id, n], i) => b[i]?.[0] === id && b[i]?.[1] === n));
}
