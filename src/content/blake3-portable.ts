// BLAKE3 in WebAssembly: works wherever Node does. Its memory never shrinks, so it gets large input in pieces.

import { createDeriveKey, createHash, hash } from "blake3-wasm";

import type { Blake3, Blake3Hasher } from "./blake3.ts";

type WasmHasher = ReturnType<typeof createHash>;

/** Input is copied into the WebAssembly memory, which keeps the size of the largest piece. */
const PIECE_BYTES_MAX = 256 * 1024;

/** Synchronous and ready at once. */
export const portableBlake3: Blake3 = {
  hash(bytes) {
    if (bytes.length > PIECE_BYTES_MAX) return digestOf(createHash(), bytes);
    return asBytes(hash(bytes));
  },
  create(): Blake3Hasher {
    const hasher = createHash();
    return { update: (bytes) => updateInPieces(hasher, bytes), digest: () => hasher.digest() };
  },
  // The package's own deriveKey never frees its hasher; a digest does.
  deriveKey: (context, material) => digestOf(createDeriveKey(context), material),
};

function digestOf(hasher: WasmHasher, bytes: Uint8Array): Uint8Array {
  updateInPieces(hasher, bytes);
  return hasher.digest();
}

function updateInPieces(hasher: WasmHasher, bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES_MAX) {
    hasher.update(bytes.subarray(start, start + PIECE_BYTES_MAX));
  }
}

function asBytes(result: Uint8Array | string): Uint8Array {
  return typeof result === "string" ? Buffer.from(result, "latin1") : result;
}
