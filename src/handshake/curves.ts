// Ed25519 (RFC 8032) and X25519 (RFC 7748) behind one interface: the native twin where it loads, the portable one
// everywhere. Their answers are equal.

import { nativeCurves } from "./curves-native.ts";
import { portableCurves } from "./curves-portable.ts";

/** Keys and secrets have 32 bytes, signatures 64. */
export interface Curves {
  readonly ed25519: {
    publicKeyOf(secretKey: Uint8Array): Uint8Array;
    sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array;
    /** Strict: public keys of small order, and encodings that are not canonical, are refused. */
    isValid(claim: SignatureClaim): boolean;
  };
  readonly x25519: {
    publicKeyOf(secretKey: Uint8Array): Uint8Array;
    /** `undefined` for a point of low order, whose secret would be zero whatever our half is. */
    sharedSecret(secretKey: Uint8Array, theirPublic: Uint8Array): Uint8Array | undefined;
  };
}

/** A signature and what it is said to be of. */
export interface SignatureClaim {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** `portable`: leave the native twin alone, even if this Node has both curves (FIPS builds have not). */
export function selectCurves({ portable }: { readonly portable: boolean }): Curves {
  return !portable && isUsable(nativeCurves) ? nativeCurves : portableCurves;
}

function isUsable(curves: Curves): boolean {
  try {
    const key = new Uint8Array(32).fill(1);
    curves.ed25519.sign(key, key);
    curves.x25519.publicKeyOf(key);
    return true;
  } catch {
    return false;
  }
}
