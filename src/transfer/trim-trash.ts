// Keeps the trash from filling the disk: when it takes most of what would be free without it, its oldest batches go before
// their time. What is younger than a day never does.

import { TRASH_SHARE_MAX, TRASH_TRIM_AGE_MS_MIN } from "../core/limits.ts";
import type { EmptyTrashReport } from "../core/reports.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath, TRASH_DIRECTORY } from "./disk-layout.ts";
import { removeTrashBatch, trashBatchBytes, trashBatches } from "./trash.ts";

export interface MeasuredBatch {
  readonly name: string;
  readonly timeMs: number;
  readonly bytes: number;
}

/** The batches to remove, the oldest first. Pure. `batches`: in order of time. */
export function batchesToTrim(
  batches: readonly MeasuredBatch[],
  { freeBytes, nowMs }: { readonly freeBytes: number; readonly nowMs: number },
): readonly MeasuredBatch[] {
  let trashBytes = batches.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytesMax = (trashBytes + freeBytes) * TRASH_SHARE_MAX;
  const trimmed: MeasuredBatch[] = [];
  for (const batch of batches) {
    if (trashBytes <= bytesMax || nowMs - batch.timeMs < TRASH_TRIM_AGE_MS_MIN) break;
    trimmed.push(batch);
    trashBytes -= batch.bytes;
  }
  return trimmed;
}

/** Throws Node's system errors if the trash cannot be read; what cannot be removed is told. */
export function trimTrash(fs: FileSystem, root: string, nowMs: number): EmptyTrashReport {
  const batches = trashBatches(fs, root).map(({ name, timeMs }) => ({
    name,
    timeMs,
    bytes: trashBatchBytes(fs, root, name),
  }));
  if (batches.length === 0) return { files: 0, bytes: 0, failed: [] };
  const freeBytes = fs.freeBytes(absolutePath(root, TRASH_DIRECTORY));
  const removed = batchesToTrim(batches, { freeBytes, nowMs }).map(({ name }) => removeTrashBatch(fs, root, name));
  return {
    files: removed.reduce((sum, { files }) => sum + files, 0),
    bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
    failed: removed.flatMap(({ failed }) => failed),
  };
}
