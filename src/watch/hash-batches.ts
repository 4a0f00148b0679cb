// Cuts a list of files into batches for hash jobs. Pure.

import { HASH_BYTES_MAX, HASH_FILES_MAX } from "../core/limits.ts";

/** Batches bounded by number and by bytes; a file larger than that is a batch of its own. */
export function batchesOf<File>(files: readonly File[], sizeOf: (file: File) => number): readonly (readonly File[])[] {
  const batches: File[][] = [];
  let bytes = Infinity;
  for (const file of files) {
    const batch = batches.at(-1);
    if (batch === undefined || batch.length >= HASH_FILES_MAX || bytes + sizeOf(file) > HASH_BYTES_MAX) {
      batches.push([file]);
      bytes = 0;
    } else {
      batch.push(file);
    }
    bytes += sizeOf(file);
  }
  return batches;
}
