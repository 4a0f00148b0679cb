// What this machine remembers of a folder, outside of it: one small file per path in the state directory. It is what
// tells an unmounted or swapped disk from a folder that somebody emptied.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, posix, win32 } from "node:path";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { parseReplicaId, type ReplicaId } from "../core/ids.ts";
import { readJsonObject } from "./read-json.ts";
import { writeWhole } from "./write-whole.ts";

export interface FolderRecord {
  /** Absolute, symlinks resolved. */
  readonly path: string;
  readonly replicaId: ReplicaId;
  /** Of the folder itself when it was last opened, in decimal. For people who look for it: devices change at boot. */
  readonly device: string;
  readonly inode: string;
}

const FOLDERS_DIRECTORY = "folders";
const PRIVATE_MODE = 0o700;

/** Where records live; `undefined` if this user has no such place. */
export function stateDirectory(platform: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly system: string;
}): string | undefined {
  const { environment, home, system } = platform;
  if (system === "win32") {
    const local = environment["LOCALAPPDATA"];
    return local === undefined || local === "" ? undefined : win32.join(local, "dsync");
  }
  const stateHome = environment["XDG_STATE_HOME"];
  // The XDG specification: a relative value counts as none.
  if (stateHome !== undefined && posix.isAbsolute(stateHome)) return posix.join(stateHome, "dsync");
  return home === "" ? undefined : posix.join(home, ".local", "state", "dsync");
}

/** 16 hex digits that stand for a folder's real path in file names. */
export function folderKey(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}

/** The record of that real path, or `undefined`. */
export function readFolderRecord(state: string, path: string): FolderRecord | undefined {
  const record = parseRecord(readJsonObject(recordFile(state, path)));
  return record?.path === path ? record : undefined;
}

/** Every record with that replica ID, under whatever path. */
export function findFolderRecords(state: string, replicaId: ReplicaId): readonly FolderRecord[] {
  const directory = join(state, FOLDERS_DIRECTORY);
  return namesIn(directory)
    .filter((name) => name.endsWith(".json"))
    .map((name) => parseRecord(readJsonObject(join(directory, name))))
    .filter((record) => record?.replicaId === replicaId)
    .filter((record) => record !== undefined);
}

/** Throws a DsyncError `environment` if the state directory cannot be written. */
export function writeFolderRecord(state: string, record: FolderRecord): void {
  try {
    mkdirSync(join(state, FOLDERS_DIRECTORY), { recursive: true, mode: PRIVATE_MODE });
    writeWhole(recordFile(state, record.path), `${JSON.stringify(record)}\n`);
  } catch (error) {
    const shown = escapeForTerminal(state);
    throw new DsyncError(
      "environment",
      `Cannot remember the folder in ${shown}: ${messageOf(error)}. Make that directory writable, or set XDG_STATE_HOME to one that is.`,
      { cause: error },
    );
  }
}

/** False if there was none. */
export function removeFolderRecord(state: string, path: string): boolean {
  const file = recordFile(state, path);
  const isThere = readJsonObject(file) !== undefined;
  rmSync(file, { force: true });
  return isThere;
}

function recordFile(state: string, path: string): string {
  return join(state, FOLDERS_DIRECTORY, `${folderKey(path)}.json`);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function parseRecord(fields: Readonly<Record<string, unknown>> | undefined): FolderRecord | undefined {
  const replicaId = parseReplicaId(fields?.["replicaId"]);
  const path = fields?.["path"];
  const device = fields?.["device"];
  const inode = fields?.["inode"];
  if (replicaId === undefined || typeof path !== "string") return undefined;
  return typeof device === "string" && typeof inode === "string" ? { path, replicaId, device, inode } : undefined;
}
