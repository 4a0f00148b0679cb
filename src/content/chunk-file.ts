// Chunks and hashes a file, or a stretch of it, in one pass.

import { CHUNK_SIZE_BYTES_MAX } from "../core/limits.ts";
import { signatureOf, signaturesEqual } from "../index/signature.ts";
import type { Blake3 } from "./blake3.ts";
import { nextCut } from "./chunker.ts";
import type { KnownChunks } from "./known-chunks.ts";
import { ManifestBuilder } from "./manifest.ts";
import { readBuffer } from "./read-buffer.ts";
import type { OpenedFile } from "./settled-file.ts";

/** Twice the largest chunk: with more (measured up to 8 MiB) nothing is faster, with less every chunk would be moved. */
const READ_BYTES = 2 * CHUNK_SIZE_BYTES_MAX;

export interface ChunkOptions {
  readonly blake3: Blake3;
  /** What may come from `from` on. */
  readonly known: KnownChunks;
  /** Bytes from the start of the file: where a chunk begins. */
  readonly from: number;
  /** No more is read than up to here, at most the file's size. */
  readonly to: number;
}

/**
 * The chunks between `from` and `to`, without one that ends later: all, if `to` is the file's size, and at least one if
 * there are CHUNK_SIZE_BYTES_MAX bytes. `undefined` if the file is another one by now.
 */
export function chunkFile(
  { fs, descriptor, signature }: OpenedFile,
  { blake3, known, from, to }: ChunkOptions,
): ManifestBuilder | undefined {
  const { size } = signature;
  const buffer = readBuffer(READ_BYTES);
  const builder = new ManifestBuilder();
  let position = from;
  // Read, and not in a chunk yet: `start` to `end` of the buffer.
  let start = 0;
  let end = 0;
  while (position < to) {
    const target = buffer.subarray(end, end + Math.min(buffer.length - end, to - position));
    if (fs.read(descriptor, target, position) < target.length) return undefined;
    // Whoever writes it is not done: the rest would be read in vain.
    if (!signaturesEqual(signature, signatureOf(fs.fstat(descriptor)))) return undefined;
    position += target.length;
    end += target.length;
    while (start < end) {
      const guessed = known.guess(size - position + end - start);
      const cut = guessed === undefined ? nextCut(buffer, start, end, position === size) : start + guessed;
      // The rest of the chunk is to be read.
      if (cut === undefined || cut > end) break;
      const hash = blake3.hash(buffer.subarray(start, cut));
      if (guessed === undefined) known.noteCut(hash);
      else if (!known.confirm(hash)) continue;
      builder.add(hash, cut - start);
      start = cut;
    }
    buffer.copyWithin(0, start, end);
    end -= start;
    start = 0;
  }
  return builder;
}
