// LZ4 per chunk, only where it pays. Compressed form: the length before compression (u32, little-endian), then one
// bare LZ4 block (no frame).

import lz4 from "lz4-napi";

import { CHUNK_SIZE_BYTES_MAX } from "../core/limits.ts";

const LENGTH_PREFIX_BYTES = 4;
/** Less cannot shrink enough to matter. */
const COMPRESSIBLE_BYTES_MIN = 512;
const SAMPLE_BYTES = 4096;
/** Where samples lie, as a share of what is before and behind them. Most of it is like its middle. */
const MIDDLE = 0.5;
/** Headers and trailers often compress when the rest does not, or the other way round. */
const ENDS = [0, 1];
/** Random data takes longer to compress (260 MB/s) than to encrypt and send; a sample tells for 1 % of that. */
const SAMPLE_RATIO_MAX = 0.9;
const EVENNESS_BYTES = 1024;
/** The sum of squared counts that random bytes are expected to have, and five standard deviations. */
const EVEN_SQUARES_MAX = 1.1 * (EVENNESS_BYTES + EVENNESS_BYTES ** 2 / 256);
/** Of each byte value; jobs are synchronous, so that no two of them use it at once. */
const counts = new Uint16Array(256);
/** Saving less is not worth the receiver's time. */
const RATIO_MAX = 0.95;

/** The compressed form of one chunk, or `undefined` if it is better sent as it is. */
export function compressIfSmaller(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < COMPRESSIBLE_BYTES_MIN || !sampleShrinks(bytes)) return undefined;
  const compressed = compress(bytes);
  return compressed.length < bytes.length * RATIO_MAX ? compressed : undefined;
}

/**
 * The chunk behind its compressed form, or `undefined` if that is damaged or another length than promised.
 * Allocates no more than `length`, whatever `compressed` says.
 */
export function decompress(compressed: Uint8Array, length: number): Uint8Array | undefined {
  if (compressed.length <= LENGTH_PREFIX_BYTES || length > CHUNK_SIZE_BYTES_MAX) return undefined;
  const view = new DataView(compressed.buffer, compressed.byteOffset, LENGTH_PREFIX_BYTES);
  if (view.getUint32(0, true) !== length) return undefined;
  try {
    const bytes = lz4.uncompressSync(compressed);
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function sampleShrinks(bytes: Uint8Array): boolean {
  if (bytes.length < EVENNESS_BYTES) return true;
  if (bytes.length <= (1 + ENDS.length) * SAMPLE_BYTES) return !isEven(sampleAt(bytes, MIDDLE, EVENNESS_BYTES));
  let compressedBytes = compressedLength(sampleAt(bytes, MIDDLE, SAMPLE_BYTES));
  if (compressedBytes < SAMPLE_BYTES * SAMPLE_RATIO_MAX) return true;
  for (const end of ENDS) compressedBytes += compressedLength(sampleAt(bytes, end, SAMPLE_BYTES));
  return compressedBytes < (1 + ENDS.length) * SAMPLE_BYTES * SAMPLE_RATIO_MAX;
}

function sampleAt(bytes: Uint8Array, share: number, length: number): Uint8Array {
  const start = Math.floor((bytes.length - length) * share);
  return bytes.subarray(start, start + length);
}

function compressedLength(sample: Uint8Array): number {
  return isEven(sample) ? sample.length : compress(sample).length;
}

/**
 * True if all byte values are about as frequent as in random data: encrypted, or compressed already. Takes a tenth of the
 * time that LZ4 takes to find that out.
 */
function isEven(sample: Uint8Array): boolean {
  counts.fill(0);
  let squares = 0;
  for (let index = 0; index < EVENNESS_BYTES; index++) {
    const byte = sample[index] ?? 0;
    const count = counts[byte] ?? 0;
    // What its square grows by.
    squares += 2 * count + 1;
    counts[byte] = count + 1;
  }
  return squares < EVEN_SQUARES_MAX;
}

function compress(bytes: Uint8Array): Uint8Array {
  return lz4.compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}
