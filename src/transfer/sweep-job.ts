// The `sweep` job: clears what nobody needs any more out of `.dsync/`: staging that no known entry wants, old trash.

import { errnoOf } from "../core/errors.ts";
import { parseContentHash, type ContentHash } from "../core/ids.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { absolutePath, stagingPath, STAGING_DIRECTORY } from "./disk-layout.ts";
import { emptyTrash } from "./trash.ts";

export interface SweepRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Contents that are still wanted: their staging stays. `undefined`: staging is left alone. */
  readonly wanted: readonly ContentHash[] | undefined;
  /** Trash batches from before this moment (ms since 1970) go. */
  readonly trashBeforeMs: number;
}

export interface SweepResult {
  /** Contents that staging holds parts of. */
  readonly staged: readonly ContentHash[];
}

export interface UnstageRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly contentIds: readonly ContentHash[];
}

export interface UnstageResult {
  /** How many were there. */
  readonly removed: number;
}

export function unstage({ fs }: JobContext, { root, contentIds }: UnstageRequest): UnstageResult {
  const paths = contentIds.map((contentId) => stagingPath(root, contentId));
  const staged = paths.filter((path) => fs.lstat(path) !== undefined);
  for (const path of staged) remove(fs, path);
  return { removed: staged.length };
}

export function sweep({ fs }: JobContext, request: SweepRequest): SweepResult {
  emptyTrash(fs, request.root, { beforeMs: request.trashBeforeMs });
  return { staged: request.wanted === undefined ? [] : sweepStaging(fs, request.root, new Set(request.wanted)) };
}

function sweepStaging(fs: FileSystem, root: string, wanted: ReadonlySet<ContentHash>): ContentHash[] {
  const directory = absolutePath(root, STAGING_DIRECTORY);
  const staged: ContentHash[] = [];
  for (const { name } of fs.readDirectory(directory)) {
    const contentId = parseContentHash(name);
    if (contentId !== undefined && wanted.has(contentId)) staged.push(contentId);
    else remove(fs, `${directory}/${name}`);
  }
  return staged;
}

function remove(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    // Swept by somebody else, or a directory that a person put there: neither is ours to remove.
    if (!["ENOENT", "EISDIR", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  }
}
