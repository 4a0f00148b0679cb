// Brings content back from the trash into the folder, where it is a local change like any other. Never overwrites.

import { errnoOf } from "../core/errors.ts";
import { problemOf } from "../core/problem-of.ts";
import type { RestoreOutcome, TrashItem } from "../core/reports.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { lacksHardLinks } from "../edge/hard-links.ts";
import { discard } from "./discard.ts";
import { absolutePath, STAGING_DIRECTORY, TRASH_DIRECTORY } from "./disk-layout.ts";
import { ParentGuard } from "./parent-guard.ts";

const ALTERNATIVES_MAX = 1000;

/**
 * Moves an item back into the folder. If its path is taken, it comes back beside it, as
 * `name.restored-<time of its batch>.ext`. What fails is a value.
 */
export function restoreFromTrash(fs: FileSystem, root: string, { item, path, time }: TrashItem): RestoreOutcome {
  const source = `${TRASH_DIRECTORY}/${item}`;
  try {
    if (!isInTrash(fs, root, source)) return { item, restored: false, reason: "It is not in the trash any more." };
    for (let alternative = 0; alternative < ALTERNATIVES_MAX; alternative++) {
      const place = alternative === 0 ? path : restoredPath(path, time, alternative);
      if (!makeParents(fs, root, place)) {
        return {
          item,
          restored: false,
          reason: `A directory above ${place} is taken by something else: move that away.`,
        };
      }
      if (!moveIfFree(fs, root, { from: absolutePath(root, source), to: absolutePath(root, place) })) continue;
      removeEmptyParents(fs, root, source);
      return { item, restored: true, path: place };
    }
    return { item, restored: false, reason: "Too many files of that name are there." };
  } catch (error) {
    return { item, restored: false, reason: problemOf("restore", error).message };
  }
}

function isInTrash(fs: FileSystem, root: string, source: string): boolean {
  const isClean = source.split("/").every((component) => component !== "" && component !== "." && component !== "..");
  if (!isClean || !new ParentGuard(fs, root).hold(source)) return false;
  const kind = fs.lstat(absolutePath(root, source))?.kind;
  return kind === "file" || kind === "symlink";
}

/** False if something that is no directory is in the way. */
function makeParents(fs: FileSystem, root: string, place: string): boolean {
  const components = place.split("/").slice(0, -1);
  for (let depth = 1; depth <= components.length; depth++) {
    const directory = absolutePath(root, components.slice(0, depth).join("/"));
    const kind = fs.lstat(directory)?.kind;
    if (kind === undefined) fs.makeDirectory(directory, 0o777);
    else if (kind !== "directory") return false;
  }
  return true;
}

/** False if `to` is taken. At every instant the content has at least one name, and no name has a part of it. */
function moveIfFree(
  fs: FileSystem,
  root: string,
  { from, to }: { readonly from: string; readonly to: string },
): boolean {
  try {
    fs.link(from, to);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    if (!lacksHardLinks(error)) throw error;
    if (!renameCopyIfFree(fs, root, { from, to })) return false;
  }
  // It is back, whatever becomes of its name in the trash.
  discard(fs, from);
  return true;
}

/** Where there are no hard links. */
function renameCopyIfFree(
  fs: FileSystem,
  root: string,
  { from, to }: { readonly from: string; readonly to: string },
): boolean {
  if (fs.lstat(to) !== undefined) return false;
  if (fs.lstat(from)?.kind === "symlink") {
    fs.symlink(fs.readLink(from), to);
    return true;
  }
  const copy = freeStagingPath(fs, root);
  try {
    fs.copyFile(from, copy);
    fs.rename(copy, to);
    return true;
  } catch (error) {
    discard(fs, copy);
    throw error;
  }
}

function freeStagingPath(fs: FileSystem, root: string): string {
  for (let serial = 0; ; serial++) {
    const path = absolutePath(root, `${STAGING_DIRECTORY}/restored-${serial}`);
    if (fs.lstat(path) === undefined) return path;
  }
}

/** `docs/a.restored-20240501-100344.txt`; from the second on, `…-2.txt`. */
function restoredPath(path: string, time: string, alternative: number): string {
  const slash = path.lastIndexOf("/") + 1;
  const name = path.slice(slash);
  // A leading dot begins a name, and is no extension.
  const dot = name.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  const stamp = time.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const serial = alternative === 1 ? "" : `-${alternative}`;
  return `${path.slice(0, slash)}${stem}.restored-${stamp}${serial}${extension}`;
}

/** Up to and including the batch, as far as they are empty. */
function removeEmptyParents(fs: FileSystem, root: string, source: string): void {
  const trashDepth = TRASH_DIRECTORY.split("/").length;
  const components = source.split("/");
  for (let depth = components.length - 1; depth > trashDepth; depth--) {
    try {
      fs.removeDirectory(absolutePath(root, components.slice(0, depth).join("/")));
    } catch {
      return;
    }
  }
}
