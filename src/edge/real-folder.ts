// From the path that a person gave to the one real path of that folder: the name under which it is locked and remembered.

import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { DsyncError, errnoOf, messageOf } from "../core/errors.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";

/** `path`: absolute, symlinks resolved. */
export interface RealFolder {
  readonly path: string;
  readonly exists: boolean;
}

/**
 * `folder`: absolute. Throws a DsyncError `usage` if it can be no synced folder: no directory, without a parent to be
 * created in, or inside a `.dsync`.
 */
export function resolveRealFolder(folder: string): RealFolder {
  const shown = escapeForTerminal(folder);
  const existing = realPathOf(folder, shown);
  if (existing !== undefined) {
    if (!statSync(existing).isDirectory()) throw usage(`${shown} is not a directory. Name a directory with -d.`);
    return checkPlace({ path: existing, exists: true }, shown);
  }
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined)
    throw usage(`${shown} is a symlink that leads nowhere. Name a directory with -d.`);
  const parent = realPathOf(dirname(folder), shown);
  if (parent === undefined || !statSync(parent).isDirectory()) {
    throw usage(`Cannot sync ${shown}: neither it nor the directory above it exists. Is the path right?`);
  }
  return checkPlace({ path: join(parent, basename(folder)), exists: false }, shown);
}

function realPathOf(path: string, shown: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (errnoOf(error) === "ENOTDIR")
      throw usage(`Cannot sync ${shown}: something above it is not a directory. Is the path right?`);
    throw new DsyncError(
      "environment",
      `Cannot open ${shown}: ${messageOf(error)}. Check the path, and the rights above it.`,
      { cause: error },
    );
  }
}

function checkPlace(folder: RealFolder, shown: string): RealFolder {
  if (!folder.path.split(sep).includes(DSYNC_DIRECTORY)) return folder;
  throw usage(`Cannot sync ${shown}: it is part of dsync's own data (${DSYNC_DIRECTORY}). Name the folder above it.`);
}

function usage(message: string): DsyncError {
  return new DsyncError("usage", message);
}
