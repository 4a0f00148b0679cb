// Opens a folder for an instance: checks that it is the one that it was, locks it, and gives it its replica ID.
// Nothing is written before the folder has been judged.

import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { REPLICA_ID_BYTES, replicaIdFromBytes, type ReplicaId } from "../core/ids.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";
import { shellWord } from "../core/shell-word.ts";
import type { Clock } from "./clock.ts";
import { acquireFolderLock, type LockClaim } from "./folder-lock.ts";
import { readFolderInodes, readMarker, writeMarker } from "./folder-marker.ts";
import { findFolderRecords, readFolderRecord, removeFolderRecord, writeFolderRecord } from "./folder-record.ts";
import { judgeFolder, type ChangedReason, type FolderJudgement } from "./judge-folder.ts";
import type { Random } from "./random.ts";
import { resolveRealFolder } from "./real-folder.ts";

/** A folder that this process holds. */
export interface ClaimedFolder {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly replicaId: ReplicaId;
  /**
   * `new`: an index inside must be discarded. `copied`: an index inside may be kept if it gets the new replica ID and
   * had the ID `of`. Otherwise an index with another replica ID than this must be discarded.
   */
  readonly origin: Exclude<FolderJudgement, { kind: "changed" }>;
  readonly device: bigint;
  readonly rootInode: bigint;
  /** Inode of `.dsync`. */
  readonly markerInode: bigint;
  /** Gives the folder free. */
  readonly release: () => void;
}

export interface ClaimRequest {
  /** Absolute. */
  readonly folder: string;
  /** Where this machine remembers folders. */
  readonly state: string;
  readonly clock: Clock;
  readonly random: Random;
  /** `socketPath` of the real folder: where the instance will answer commands. */
  readonly holder: Pick<LockClaim, "host" | "name"> & { socketPath(realFolder: string): string | null };
  /** Called before a folder that does not exist is created. */
  onCreating(realFolder: string): void;
}

const PRIVATE_MODE = 0o700;

/** Throws a DsyncError: `usage`, `environment`, `folder-changed` or `folder-held`. */
export function claimFolder(request: ClaimRequest): ClaimedFolder {
  const { state, clock, holder } = request;
  const { path, exists } = resolveRealFolder(request.folder);
  if (exists) checkAccess(path);
  // Judged before anything is written, and once more when nobody else can change it.
  judge(state, path);
  if (!exists) createFolder(path, request);
  makeDsyncDirectory(path);
  const lock = acquireFolderLock(path, {
    host: holder.host,
    name: holder.name,
    since: new Date(clock.now()).toISOString(),
    socketPath: holder.socketPath(path),
  });
  try {
    return { ...settle(request, path), release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** False if there was nothing to forget. `folder`: absolute, need not exist. Touches nothing inside it. */
export function forgetFolder({ folder, state }: { folder: string; state: string }): boolean {
  return removeFolderRecord(state, realOrGiven(folder));
}

function realOrGiven(folder: string): string {
  try {
    return resolveRealFolder(folder).path;
  } catch {
    // Gone with its parent: then it was remembered under the path that has no symlinks left to resolve.
    return folder;
  }
}

/** Throws `folder-changed`. */
function judge(state: string, path: string): Exclude<FolderJudgement, { kind: "changed" }> {
  const marker = readMarker(path);
  const inodes = readFolderInodes(path);
  const judgement = judgeFolder({
    record: readFolderRecord(state, path),
    marker,
    rootInode: inodes?.rootInode ?? 0n,
    directoryInode: inodes?.directoryInode,
    elsewhere:
      marker === undefined ? [] : findFolderRecords(state, marker.replicaId).filter((other) => other.path !== path),
  });
  if (judgement.kind === "changed") throw changedError(path, judgement.reason);
  return judgement;
}

/** Writes down what was judged: the marker first, so that a record never speaks of a folder that does not know itself. */
function settle({ state, clock, random }: ClaimRequest, path: string): Omit<ClaimedFolder, "release"> {
  const origin = judge(state, path);
  const inodes = readFolderInodes(path);
  if (inodes?.directoryInode === undefined) throw changedError(path, "marker-missing");
  const { device, rootInode, directoryInode } = inodes;
  const isFresh = origin.kind === "new" || origin.kind === "copied";
  const replicaId = isFresh ? replicaIdFromBytes(random.bytes(REPLICA_ID_BYTES)) : origin.replicaId;
  if (isFresh) {
    writeMarker(path, {
      replicaId,
      directoryInode: directoryInode.toString(),
      rootInode: rootInode.toString(),
      createdAt: new Date(clock.now()).toISOString(),
    });
  }
  writeFolderRecord(state, { path, replicaId, device: device.toString(), inode: rootInode.toString() });
  if (origin.kind === "moved") for (const { path } of origin.obsolete) removeFolderRecord(state, path);
  return { path, replicaId, origin, device, rootInode, markerInode: directoryInode };
}

function checkAccess(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const shown = escapeForTerminal(path);
    const reason = errnoOf(error) === "EROFS" ? "its file system is read-only" : "this user may not read and write it";
    throw new DsyncError(
      "environment",
      `Cannot sync ${shown}: ${reason}. Change its permissions, or choose another folder.`,
      {
        cause: error,
      },
    );
  }
}

function createFolder(path: string, request: ClaimRequest): void {
  request.onCreating(path);
  make(path, 0o777);
}

function makeDsyncDirectory(path: string): void {
  make(join(path, DSYNC_DIRECTORY), PRIVATE_MODE);
  if (readFolderInodes(path)?.directoryInode !== undefined) return;
  const shown = escapeForTerminal(join(path, DSYNC_DIRECTORY));
  throw new DsyncError("environment", `Cannot use ${shown}: it is not a directory. Move it away.`);
}

/** Not an error if something is there already. */
function make(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    const shown = escapeForTerminal(path);
    throw new DsyncError("environment", `Cannot create ${shown}: ${messageOf(error)}. Check the rights there.`, {
      cause: error,
    });
  }
}

const CHANGED: Readonly<Record<ChangedReason, string>> = {
  "marker-missing": "dsync's data (.dsync) is not in it, as if its disk were not mounted or it had been made anew",
  "other-replica": "it holds the data of another replica, as if another disk were mounted there",
  "other-directory": "dsync's data (.dsync) was moved into another directory",
};

/** Also for an instance that finds out while it runs. */
export function changedError(path: string, reason: ChangedReason): DsyncError {
  const shown = escapeForTerminal(path);
  return new DsyncError(
    "folder-changed",
    `${shown} is not the folder that it was: ${CHANGED[reason]}. Nothing was changed. ` +
      `Mount the right disk and start again; or, if this is how it should be, start afresh with: dsync forget -d ${shellWord(path)}`,
  );
}
