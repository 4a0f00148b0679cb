// Whether there is room for the index on its disk. LMDB survives a full one (a transaction fails, the next one works),
// but opening it there may not, and it is better to say what is wrong than to pass on "Input/output error".

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { DsyncError } from "../core/errors.ts";
import { INDEX_FREE_BYTES_MIN } from "../core/limits.ts";

export interface DiskRoomOptions {
  /** Where the index is, or will be. */
  readonly directory: string;
  /** Default: what the system says. */
  readonly freeBytes?: () => Promise<number>;
}

/** Rejects with a DsyncError `index` unless `bytes` can be written and something is left. */
export async function checkRoom(options: DiskRoomOptions, bytes: number): Promise<void> {
  const needed = INDEX_FREE_BYTES_MIN + bytes;
  const free = await (options.freeBytes ?? (() => freeBytesOf(options.directory)))();
  if (free >= needed) return;
  throw new DsyncError(
    "index",
    `Cannot write the index in ${options.directory}: the disk is full (${mib(free)} MiB are free, ` +
      `${mib(needed)} MiB are needed). Make room on it; a running dsync then goes on by itself.`,
  );
}

async function freeBytesOf(directory: string): Promise<number> {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
