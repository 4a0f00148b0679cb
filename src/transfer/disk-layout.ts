// Where things are below a folder on the disk. Pure.

import type { ContentHash } from "../core/ids.ts";
import { DSYNC_DIRECTORY } from "../core/path.ts";

/** Relative to the folder. */
export const STAGING_DIRECTORY = `${DSYNC_DIRECTORY}/staging`;
/** Relative to the folder. */
export const TRASH_DIRECTORY = `${DSYNC_DIRECTORY}/trash`;
/** Relative to the folder. */
export const INDEX_DIRECTORY = `${DSYNC_DIRECTORY}/index`;

/** Where the chunks of a content are put together: the same name after a restart, so that it can be resumed. */
export function stagingPath(root: string, contentId: ContentHash): string {
  return `${root}/${STAGING_DIRECTORY}/${contentId}`;
}

/** `diskPath`, relative to `root`, as an absolute path. `""` is the root itself. */
export function absolutePath(root: string, diskPath: string): string {
  return diskPath === "" ? root : `${root}/${diskPath}`;
}
