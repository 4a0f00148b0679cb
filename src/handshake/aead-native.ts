// ChaCha20-Poly1305 by OpenSSL, through node:crypto: the fast twin.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { AEAD_TAG_BYTES, type Aead } from "./aead.ts";

const ALGORITHM = "chacha20-poly1305";
const OPTIONS = { authTagLength: AEAD_TAG_BYTES } as const;

export const nativeAead: Aead = {
  name: "native",

  seal({ key, nonce, associatedData }, plaintext) {
    const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS);
    cipher.setAAD(associatedData, { plaintextLength: 0 });
    const ciphertext = plaintext.map((piece) => cipher.update(piece));
    cipher.final();
    return { ciphertext, tag: cipher.getAuthTag() };
  },

  open({ key, nonce, associatedData }) {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS);
    decipher.setAAD(associatedData, { plaintextLength: 0 });
    const plaintext: Uint8Array[] = [];
    return {
      update: (ciphertext) => void plaintext.push(decipher.update(ciphertext)),
      finish(tag) {
        decipher.setAuthTag(tag);
        try {
          decipher.final();
        } catch {
          return undefined;
        }
        // Nothing of this is given away before the tag has been checked.
        return plaintext;
      },
    };
  },
};
