// The 256 numbers that the chunker's rolling hash adds per byte. Part of the protocol: other numbers, other chunks.

import { portableBlake3 } from "./blake3-portable.ts";

const SEED = "dsync 2026 gear table v1";

/** Item `i`: the first four bytes, big-endian, of the BLAKE3 of the seed text and the byte `i`. */
export const GEAR_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  const hash = portableBlake3.hash(Buffer.concat([Buffer.from(SEED), Uint8Array.of(byte)]));
  return new DataView(hash.buffer, hash.byteOffset).getInt32(0);
});
