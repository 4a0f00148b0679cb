// `.dsync/replica.json`: which replica this folder is, and which directories it was made in. A copy of the folder has
// the same file in other directories, and so is recognised.

import { lstatSync } from "node:fs";
import { join } from "node:path";
import { parseReplicaId, type ReplicaId } from "../core/ids.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";
import { readJsonObject } from "./read-json.ts";
import { writeWhole } from "./write-whole.ts";

export interface Marker {
  readonly replicaId: ReplicaId;
  /** Inode of the `.dsync` directory that the marker was written in. */
  readonly directoryInode: string;
  /** Inode of the folder itself at that time. */
  readonly rootInode: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

const MARKER_FILE = "replica.json";

/** The folder's marker, or `undefined` if there is none that can be read as one. Throws system errors but "not there". */
export function readMarker(folder: string): Marker | undefined {
  const fields = readJsonObject(join(folder, DSYNC_DIRECTORY, MARKER_FILE));
  const replicaId = parseReplicaId(fields?.["replicaId"]);
  const directoryInode = fields?.["directoryInode"];
  const rootInode = fields?.["rootInode"];
  const createdAt = fields?.["createdAt"];
  if (replicaId === undefined || typeof directoryInode !== "string" || typeof rootInode !== "string") return undefined;
  return { replicaId, directoryInode, rootInode, createdAt: typeof createdAt === "string" ? createdAt : "" };
}

/** Replaces the marker whole. `.dsync` must exist. */
export function writeMarker(folder: string, marker: Marker): void {
  writeWhole(join(folder, DSYNC_DIRECTORY, MARKER_FILE), `${JSON.stringify(marker)}\n`);
}

/** The directories as they are on the disk now; `undefined`: not there, or no directory. */
export interface FolderInodes {
  readonly device: bigint;
  readonly rootInode: bigint;
  readonly directoryInode: bigint | undefined;
}

/** `undefined` if the folder itself is not there, or no directory. */
export function readFolderInodes(folder: string): FolderInodes | undefined {
  const root = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  if (root === undefined || !root.isDirectory()) return undefined;
  const directory = lstatSync(join(folder, DSYNC_DIRECTORY), { bigint: true, throwIfNoEntry: false });
  const directoryInode = directory?.isDirectory() === true ? directory.ino : undefined;
  return { device: root.dev, rootInode: root.ino, directoryInode };
}
