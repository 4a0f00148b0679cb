// When the index cannot be written for so long that waiting for it would take too much memory. Pure.

import { DsyncError, messageOf } from "../core/errors.ts";
import { INDEX_UNCOMMITTED_BYTES_MAX } from "../core/limits.ts";

/**
 * The reason to stop, or `undefined` while it can be waited for. Stopping loses nothing: what is not committed was
 * announced to nobody, and the next start finds it on the disk and with the peers again. `error`: why the last commit failed.
 */
export function tooMuchUncommitted(uncommittedBytes: number, error: unknown): DsyncError | undefined {
  if (uncommittedBytes <= INDEX_UNCOMMITTED_BYTES_MAX) return undefined;
  const waiting = Math.round(uncommittedBytes / 2 ** 20);
  return new DsyncError(
    "index",
    `Stopping: the index could not be written for so long that ${waiting} MiB of changes wait in memory. ` +
      `${messageOf(error)} Then start dsync again: nothing is lost, it finds these changes anew.`,
    { cause: error },
  );
}
