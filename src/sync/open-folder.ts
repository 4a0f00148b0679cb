// From a path that a person typed to a folder that is ours: checked, locked, its index open.

import { mkdirSync, rmSync } from "node:fs";
import type { ReplicaId } from "../core/ids.ts";
import { readBootId } from "../edge/boot-id.ts";
import { claimFolder, type ClaimedFolder, type ClaimRequest } from "../edge/folder-claim.ts";
import { readMarker, writeMarker } from "../edge/folder-marker.ts";
import { writeFolderRecord } from "../edge/folder-record.ts";
import { openLmdbStore } from "../index/lmdb-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import { INDEX_DIRECTORY, STAGING_DIRECTORY, TRASH_DIRECTORY } from "../transfer/disk-layout.ts";
import type { RootIdentity } from "../edge/root-identity.ts";

export interface OpenFolderRequest extends ClaimRequest {
  /** BLAKE3. */
  readonly hash: (bytes: Uint8Array) => Uint8Array;
}

export interface OpenFolder {
  readonly identity: RootIdentity;
  readonly store: RecordStore;
  /** Makes it another replica, because another one has its ID: a clone of this disk. */
  renew(): Promise<void>;
  /** Gives the folder free, after the store was closed. */
  release(): void;
}

const PRIVATE_MODE = 0o700;

/** Throws a DsyncError: `usage`, `environment`, `folder-changed`, `folder-held` or `index`. */
export async function openFolder(request: OpenFolderRequest): Promise<OpenFolder> {
  const claimed = claimFolder(request);
  const { path, device, rootInode, markerInode } = claimed;
  try {
    for (const directory of [STAGING_DIRECTORY, TRASH_DIRECTORY]) {
      mkdirSync(`${path}/${directory}`, { recursive: true, mode: PRIVATE_MODE });
    }
    const store = await openIndex(claimed, request);
    if (store.replicaId !== claimed.replicaId) noteReplica(claimed, store.replicaId, request);
    const identity = { root: path, device, inode: rootInode, markerInode };
    const renew = async (): Promise<void> => {
      const replicaId = store.renewReplicaId(request.random);
      await store.committed();
      noteReplica(claimed, replicaId, request);
    };
    return { identity, store, renew, release: () => claimed.release() };
  } catch (error) {
    claimed.release();
    throw error;
  }
}

/** The index decides which replica this is: after it was deleted, the folder starts afresh, without history. */
async function openIndex({ path, origin, replicaId }: ClaimedFolder, request: OpenFolderRequest): Promise<RecordStore> {
  const { random, clock, hash } = request;
  const directory = `${path}/${INDEX_DIRECTORY}`;
  const open = (): Promise<RecordStore> => openLmdbStore({ directory, random, clock, hash, bootId: readBootId() });
  const discard = (): void => rmSync(directory, { recursive: true, force: true });
  if (origin.kind === "new") discard();
  const store = await open();
  if (origin.kind === "copied") {
    store.renewReplicaId(random);
    await store.committed();
    return store;
  }
  const isStrange = store.previousStop !== "none" && store.replicaId !== replicaId;
  if (!isStrange) return store;
  await store.close();
  discard();
  return open();
}

/** Writes down inside and outside the folder which replica it is. */
function noteReplica(
  { path, device, rootInode, markerInode }: ClaimedFolder,
  replicaId: ReplicaId,
  { state, clock }: OpenFolderRequest,
): void {
  writeMarker(path, {
    replicaId,
    directoryInode: markerInode.toString(),
    rootInode: rootInode.toString(),
    createdAt: readMarker(path)?.createdAt ?? new Date(clock.now()).toISOString(),
  });
  writeFolderRecord(state, { path, replicaId, device: device.toString(), inode: rootInode.toString() });
}
