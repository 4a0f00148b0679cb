// What a look at the disk means, given what the index holds (docs/protocol.md, Versions). Pure: dots and time are
// arguments.
//
// A change starts from present, never from known: an edit made on top of the old content is concurrent with what this
// replica has only heard of. Its stamp is greater than that of what it was made on top of; merge.ts relies on it.

import { createHash } from "node:crypto";
import { REPLICA_ID_BYTES, replicaIdFromBytes, type ReplicaId } from "../core/ids.ts";
import { COUNTER_MAX, STAMP_MS_MAX } from "../core/limits.ts";
import { contentEqual, isContentAsKept, sameContent } from "./content.ts";
import type { Content, Dot, Entry, PathEntry, PathRecord, Version } from "./entry.ts";
import { conflictEntry, mergeEntries, sameLive } from "./merge.ts";
import {
  boundedVector,
  counterOf,
  hasSeen,
  latestCounter,
  withDeletedStamp,
  withDot,
  type VersionVector,
} from "./version-vector.ts";

/** Who changes something, and when. */
export interface Changer {
  /** A fresh dot of this replica with a counter of at least `nowMs`. Called only when a change is made. */
  readonly nextDot: (nowMs: number) => Dot;
  /** Whole milliseconds. */
  readonly nowMs: number;
  /** The instance's friendly name. */
  readonly author: string;
}

export interface Observation extends Changer {
  readonly record: Pick<PathRecord, "path" | "known" | "present">;
  readonly observed: Content | "absent";
}

/** What a look at the disk means. */
export type Outcome =
  /** The disk holds what present says. */
  | { readonly kind: "unchanged" }
  /** The disk holds exactly what is known, by other means than ours: present becomes known. */
  | { readonly kind: "adopted"; readonly present: Entry }
  | {
      readonly kind: "changed";
      readonly known: Entry;
      /** The same object as known if the change is what is now known to be live. */
      readonly present: Entry;
      /** To be merged into the known entry of its path. */
      readonly conflict: PathEntry | undefined;
    };

/** Decides what `observed` means for the path of `record`. */
export function observe(observation: Observation): Outcome {
  const { record, observed } = observation;
  const { path, known, present } = record;
  const content = observed === "absent" ? undefined : observed;
  if (holds(present, content)) return { kind: "unchanged" };
  // Put in place by ourselves, mostly, and only the index did not get to keep that: the disk may have rounded its time.
  const isPending = !sameLive(known, present);
  if (holds(known, content, isPending ? isContentAsKept : contentEqual)) return { kind: "adopted", present: known };

  const local = changeEntry({ ...observation, base: present, known, content });
  const { merged, conflict } = mergeEntries(known, local, path);
  const overtaken = overtakenBy(local, record);
  return {
    kind: "changed",
    known: merged,
    // What is on the disk is what won, so the disk's state has taken into account what it won against.
    present: sameLive(merged, local) ? merged : local,
    conflict: overtaken === undefined ? conflict : conflictEntry(path, overtaken),
  };
}

export interface Change extends Changer {
  /** What the change was made on top of. */
  readonly base: Entry;
  /** What this replica has heard of the path. */
  readonly known: Entry;
  /** `undefined`: a delete. */
  readonly content: Content | undefined;
}

/** The entry after one change of this replica. */
export function changeEntry(change: Change): Entry {
  const { base, known, content, author, nowMs } = change;
  const dot = unseenDot(known.seen, change);
  const withNew = withDot(base.seen, dot);
  const seen = content === undefined ? withDeletedStamp(withNew, base.live?.stamp ?? 0) : withNew;
  const bounded = boundedVector(seen, dot.replica);
  if (content === undefined) return { seen: bounded, live: undefined };
  const momentMs = content.kind === "file" ? Math.floor(content.mtimeUs / 1000) : nowMs;
  // The lower bound last: growing along causality outranks not lying in the future.
  const stamp = Math.min(Math.max(Math.min(momentMs, nowMs), stampAfter(base)), STAMP_MS_MAX);
  return { seen: bounded, live: { dot, stamp, author, content } };
}

/**
 * A replica's new dot claims to have seen all its older ones. One of these may be live here without being on this disk:
 * what we made before the folder was put back from a backup. It must not vanish unseen.
 */
function overtakenBy(local: Entry, { known, present }: Observation["record"]): Version | undefined {
  const { live } = known;
  if (live === undefined || live.content.kind === "directory") return undefined;
  if (hasSeen(present.seen, live.dot) || !hasSeen(local.seen, live.dot)) return undefined;
  return local.live !== undefined && sameContent(local.live.content, live.content) ? undefined : live;
}

/**
 * Ahead of what has been heard of our own counter, too: after a backup was restored, others know more of us than we do.
 * But a peer may claim anything, and what it claims must not use our counter up: beyond the half of its range, the
 * change is made under another replica ID, of which nothing has been heard.
 */
function unseenDot(seen: VersionVector, { nextDot, nowMs }: Changer): Dot {
  const dot = nextDot(nowMs);
  const heard = counterOf(seen, dot.replica);
  if (heard < dot.counter) return dot;
  if (heard < COUNTER_MAX / 2) return nextDot(heard + 1);
  let { replica } = dot;
  while (counterOf(seen, replica) >= dot.counter) replica = successorOf(replica);
  return { replica, counter: dot.counter };
}

/** The ID under which a replica goes on where its own is used up: of nobody else, so the counter keeps its dots apart. */
function successorOf(replica: ReplicaId): ReplicaId {
  const hash = createHash("sha256").update(`dsync successor ${replica}`).digest();
  return replicaIdFromBytes(hash.subarray(0, REPLICA_ID_BYTES));
}

/** A tombstone has no stamp: a counter in its vector is at least as late as that of what it deleted. */
function stampAfter({ seen, live }: Entry): number {
  if (live !== undefined) return live.stamp + 1;
  return seen.length === 0 ? 0 : latestCounter(seen) + 1;
}

function holds(entry: Entry, content: Content | undefined, areEqual = contentEqual): boolean {
  const live = entry.live?.content;
  return live === undefined || content === undefined ? live === content : areEqual(live, content);
}
