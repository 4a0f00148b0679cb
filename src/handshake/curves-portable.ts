// The curves by @noble/curves: the portable twin.

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import type { Curves } from "./curves.ts";

export const portableCurves: Curves = {
  ed25519: {
    publicKeyOf: (secretKey) => ed25519.getPublicKey(secretKey),
    sign: (message, secretKey) => ed25519.sign(message, secretKey),
    // The library's default (ZIP 215) takes several encodings and keys, so that one signature could pass for several.
    isValid: ({ publicKey, message, signature }) => ed25519.verify(signature, message, publicKey, { zip215: false }),
  },
  x25519: {
    publicKeyOf: (secretKey) => x25519.getPublicKey(secretKey),
    sharedSecret(secretKey, theirPublic) {
      try {
        return x25519.getSharedSecret(secretKey, theirPublic);
      } catch {
        // Lengths are right, so this is the refusal of a point of low order.
        return undefined;
      }
    },
  },
};
