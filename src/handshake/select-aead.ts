// Which of the two implementations of the cipher is used.

import { nativeAead } from "./aead-native.ts";
import { nobleAead } from "./aead-noble.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, type Aead } from "./aead.ts";

/** The fast one, unless `portable` asks for the other or this Node has no ChaCha20-Poly1305 (FIPS builds). */
export function selectAead({ portable }: { readonly portable: boolean }): Aead {
  return !portable && isUsable(nativeAead) ? nativeAead : nobleAead;
}

function isUsable(aead: Aead): boolean {
  try {
    const key = new Uint8Array(AEAD_KEY_BYTES);
    aead.seal({ key, nonce: new Uint8Array(AEAD_NONCE_BYTES), associatedData: key }, [key]);
    return true;
  } catch {
    return false;
  }
}
