// The `sweep` job: clears what nobody needs any more out of `.dsync/`: staging that no known entry wants, old trash.

import { errnoOf } from "../core/errors.ts";
import { parseContentHash, type ContentHash } from "../core/ids.ts";
import type { Problem } from "../core/problem.ts";
import { problemOf } from "../core/problem-of.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { absolutePath, STAGING_DIRECTORY } from "./disk-layout.ts";
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
  /** Why something was left for the next time. */
  readonly problem: Problem | undefined;
}

/** Never throws for what the disk does: clearing up is no reason not to start. */
export function sweep({ fs }: JobContext, request: SweepRequest): SweepResult {
  const staged: ContentHash[] = [];
  try {
    emptyTrash(fs, request.root, { beforeMs: request.trashBeforeMs });
    if (request.wanted !== undefined) sweepStaging(fs, request.root, new Set(request.wanted), staged);
    return { staged, problem: undefined };
  } catch (error) {
    return { staged, problem: problemOf("clear up in .dsync", error) };
  }
}

/** Adds what stays to `staged`. */
function sweepStaging(fs: FileSystem, root: string, wanted: ReadonlySet<ContentHash>, staged: ContentHash[]): void {
  const directory = absolutePath(root, STAGING_DIRECTORY);
  const others: string[] = [];
  for (const { name } of fs.readDirectory(directory)) {
    const contentId = parseContentHash(name);
    if (contentId !== undefined && wanted.has(contentId)) staged.push(contentId);
    else others.push(name);
  }
  for (const name of others) remove(fs, `${directory}/${name}`);
}

function remove(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    // Swept by somebody else, or a directory that a person put there: neither is ours to remove.
    if (!["ENOENT", "EISDIR", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  }
}
