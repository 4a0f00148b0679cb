// The `sweep` job: clears what nobody needs any more out of `.dsync/`: staging that no known entry wants, old trash.

import { errnoOf } from "../core/errors.ts";
import { parseContentHash, type ContentHash } from "../core/ids.ts";
import type { Problem } from "../core/problem.ts";
import { problemOf } from "../core/problem-of.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { EmptyTrashReport } from "../core/reports.ts";
import { hasOtherName } from "../edge/hard-links.ts";
import type { JobContext } from "../edge/job-context.ts";
import { isBesideName } from "../core/path.ts";
import { isSameRoot, type RootIdentity } from "../edge/root-identity.ts";
import { ParentGuard } from "./parent-guard.ts";
import { absolutePath, stagingPath, STAGING_DIRECTORY } from "./disk-layout.ts";
import { emptyTrash } from "./trash.ts";
import { trimTrash } from "./trim-trash.ts";

export interface SweepRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Contents that are still wanted: their staging stays. */
  readonly wanted: readonly ContentHash[];
  /** Staging that was written to since this moment (ms since 1970) stays: it may be of a transfer that just began. */
  readonly stagedBeforeMs: number;
  /** Trash batches from before this moment (ms since 1970) go. */
  readonly trashBeforeMs: number;
  /** Now, in ms since 1970: the trash is measured, and trimmed if it takes too much of the disk. `undefined`: it is not. */
  readonly trimAtMs: number | undefined;
}

export interface SweepResult {
  /** Wanted contents that staging holds parts of. */
  readonly staged: readonly ContentHash[];
  /** What went before its time. */
  readonly trimmed: EmptyTrashReport;
  /** Why something was left for the next time. */
  readonly problem: Problem | undefined;
}

export interface UnstageRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly contentIds: readonly ContentHash[];
  /** Only what has another name as well: its place, by which people write to it. A crash kept it from losing this one. */
  readonly onlyPlaced: boolean;
}

export interface UnstageResult {
  /** How many were there. */
  readonly removed: number;
}

export interface LeftoversRequest {
  readonly identity: RootIdentity;
  /** Disk paths, relative to the folder, of what a crash may have left beside its target. */
  readonly diskPaths: readonly string[];
  /** Whatever was changed since this moment (ms since 1970) stays: it may be in use. */
  readonly beforeMs: number;
}

export interface LeftoversResult {
  readonly removed: number;
}

/** Removes old leftovers with names of our own, and nothing through a symlink or in another folder. Never throws for what the disk does. */
export function sweepLeftovers(
  { fs }: JobContext,
  { identity, diskPaths, beforeMs }: LeftoversRequest,
): LeftoversResult {
  const { root } = identity;
  if (!isSameRoot(fs, identity)) return { removed: 0 };
  const parents = new ParentGuard(fs, root);
  let removed = 0;
  for (const diskPath of diskPaths) {
    if (!isBesideName(diskPath.slice(diskPath.lastIndexOf("/") + 1))) continue;
    try {
      const path = absolutePath(root, diskPath);
      const kind = parents.hold(diskPath) ? fs.lstat(path)?.kind : undefined;
      if (kind !== "file" && kind !== "symlink") continue;
      removeIfOlder(fs, path, beforeMs);
      if (fs.lstat(path) === undefined) removed++;
    } catch {
      // It is found again by the next scan.
    }
  }
  return { removed };
}

/** Never throws for what the disk does: what cannot be removed now is swept later. */
export function unstage({ fs }: JobContext, { root, contentIds, onlyPlaced }: UnstageRequest): UnstageResult {
  let removed = 0;
  for (const contentId of contentIds) {
    const path = stagingPath(root, contentId);
    try {
      const stat = fs.lstat(path);
      if (stat === undefined || (onlyPlaced && !hasOtherName(stat))) continue;
      fs.unlink(path);
      removed++;
    } catch {
      // An hour later, or at the next start, the sweep says why.
    }
  }
  return { removed };
}

/** Never throws for what the disk does: clearing up is no reason not to start. */
export function sweep({ fs }: Pick<JobContext, "fs">, request: SweepRequest): SweepResult {
  const { root, trimAtMs } = request;
  const staged: ContentHash[] = [];
  let trimmed: EmptyTrashReport = { files: 0, bytes: 0, failed: [] };
  try {
    emptyTrash(fs, root, { beforeMs: request.trashBeforeMs });
    if (trimAtMs !== undefined) trimmed = trimTrash(fs, root, trimAtMs);
    sweepStaging(fs, request, staged);
    return { staged, trimmed, problem: undefined };
  } catch (error) {
    return { staged, trimmed, problem: problemOf("clear up in .dsync", error) };
  }
}

/** Adds what stays to `staged`. */
function sweepStaging(fs: FileSystem, { root, wanted, stagedBeforeMs }: SweepRequest, staged: ContentHash[]): void {
  const directory = absolutePath(root, STAGING_DIRECTORY);
  const isWanted = new Set(wanted);
  const others: string[] = [];
  for (const { name } of fs.readDirectory(directory)) {
    const contentId = parseContentHash(name);
    if (contentId !== undefined && isWanted.has(contentId)) staged.push(contentId);
    else others.push(name);
  }
  for (const name of others) removeIfOlder(fs, `${directory}/${name}`, stagedBeforeMs);
}

/** By its ctime: the time of a staged file's last write may have been set to anything. */
function removeIfOlder(fs: FileSystem, path: string, beforeMs: number): void {
  try {
    const stat = fs.lstat(path);
    if (stat !== undefined && Number(stat.ctimeNs / 1_000_000n) < beforeMs) fs.unlink(path);
  } catch (error) {
    // Swept by somebody else, or a directory that a person put there: neither is ours to remove.
    if (!["ENOENT", "EISDIR", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  }
}
