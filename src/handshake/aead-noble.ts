// ChaCha20-Poly1305 in plain JavaScript: the portable twin.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { AEAD_TAG_BYTES, type Aead } from "./aead.ts";

export const nobleAead: Aead = {
  name: "portable",

  seal({ key, nonce, associatedData }, plaintext) {
    const sealed = chacha20poly1305(key, nonce, associatedData).encrypt(join(plaintext));
    const end = sealed.length - AEAD_TAG_BYTES;
    return { ciphertext: [sealed.subarray(0, end)], tag: sealed.subarray(end) };
  },

  open({ key, nonce, associatedData }) {
    const pieces: Uint8Array[] = [];
    return {
      update: (ciphertext) => void pieces.push(Uint8Array.from(ciphertext)),
      finish(tag) {
        try {
          return [chacha20poly1305(key, nonce, associatedData).decrypt(join([...pieces, tag]))];
        } catch {
          return undefined;
        }
      },
    };
  },
};

/** Always fresh memory: the cipher reads whole words, and wants them aligned. */
function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    joined.set(piece, end);
    end += piece.length;
  }
  return joined;
}
