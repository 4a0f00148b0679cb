// Is this the folder that this machine knows under that path? Pure.
//
// Invariant: whenever what is on the disk could be less than what the record speaks of (unmounted, swapped), the answer
// is `changed` or `new`: nothing that is missing then counts as deleted.

import type { ReplicaId } from "../core/ids.ts";
import type { Marker } from "./folder-marker.ts";
import type { FolderRecord } from "./folder-record.ts";

export interface FolderEvidence {
  /** What this machine remembers of the path. */
  readonly record: FolderRecord | undefined;
  /** What the folder says of itself. */
  readonly marker: Marker | undefined;
  /** Inodes now; `undefined`: not there. Device numbers change when a machine starts and so prove nothing. */
  readonly rootInode: bigint;
  readonly directoryInode: bigint | undefined;
  /** Other paths that this machine remembers with the marker's replica ID. */
  readonly elsewhere: readonly FolderRecord[];
}

export type FolderJudgement =
  /** Never seen here, or not to be trusted: it starts as a new replica, and an index inside means nothing. */
  | { readonly kind: "new" }
  | { readonly kind: "known"; readonly replicaId: ReplicaId }
  /** Copied with its `.dsync`: it needs a replica ID of its own. */
  | { readonly kind: "copied"; readonly of: ReplicaId }
  /** The same directory under another path. `obsolete`: records to be removed. */
  | { readonly kind: "moved"; readonly replicaId: ReplicaId; readonly obsolete: readonly FolderRecord[] }
  /** Not the one that it was: stop. */
  | { readonly kind: "changed"; readonly reason: ChangedReason };

export type ChangedReason = "marker-missing" | "other-replica" | "other-directory";

export function judgeFolder({ record, marker, rootInode, directoryInode, elsewhere }: FolderEvidence): FolderJudgement {
  if (marker === undefined || directoryInode === undefined) {
    return record === undefined ? { kind: "new" } : { kind: "changed", reason: "marker-missing" };
  }
  const isSameRoot = marker.rootInode === rootInode.toString();
  const isSameDirectory = marker.directoryInode === directoryInode.toString();
  const { replicaId } = marker;
  if (record !== undefined && record.replicaId !== replicaId) return { kind: "changed", reason: "other-replica" };
  if (!isSameDirectory) return { kind: "copied", of: replicaId };
  // The old `.dsync` in a new directory: somebody moved it there, and what lies beside it is another matter.
  if (!isSameRoot) return record === undefined ? { kind: "new" } : { kind: "changed", reason: "other-directory" };
  return record === undefined ? { kind: "moved", replicaId, obsolete: elsewhere } : { kind: "known", replicaId };
}
