// BLAKE3 behind one interface: the native twin where it loads, the WebAssembly one everywhere. Their answers are equal.

import { contentHashFromBytes, type ContentHash } from "../core/ids.ts";
import { loadNativeBlake3 } from "./blake3-native.ts";
import { portableBlake3 } from "./blake3-portable.ts";

/** All results are 32 bytes. */
export interface Blake3 {
  /** The hash of `bytes`; also fast for a few bytes. */
  hash(bytes: Uint8Array): Uint8Array;
  /** Hashes what comes in pieces. */
  create(): Blake3Hasher;
  /** BLAKE3's derive-key mode. `context`: hard-coded, unique to its use. */
  deriveKey(context: string, material: Uint8Array): Uint8Array;
}

/** One hash in the making. */
export interface Blake3Hasher {
  /** Takes the next piece; does not keep it. */
  update(bytes: Uint8Array): void;
  /** The hash of everything so far; call it once, as the last thing: it also frees the hasher's memory. */
  digest(): Uint8Array;
}

/** `portable`: leave the native twin alone, even if it would load. */
export function loadBlake3(options: { readonly portable: boolean }): Blake3 {
  return (options.portable ? undefined : loadNativeBlake3()) ?? portableBlake3;
}

/** The name of one chunk. `blake3` matters for speed alone. */
export function contentHash(bytes: Uint8Array, blake3: Blake3 = portableBlake3): ContentHash {
  return contentHashFromBytes(blake3.hash(bytes));
}
