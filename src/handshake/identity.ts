// Who an instance is: an Ed25519 key pair (RFC 8032) that lives in memory only, for as long as the process runs.

import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import type { Random } from "../edge/random.ts";
import type { Curves } from "./curves.ts";
import { portableCurves } from "./curves-portable.ts";

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** An instance's key pair; the secret half cannot be read. */
export interface Identity {
  /** The public key, in hex. */
  readonly peerId: PeerId;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Returns 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Mints an identity from 32 fresh random bytes. `curves` matters for speed alone. */
export function createIdentity(random: Random, { ed25519 }: Curves = portableCurves): Identity {
  const secretKey = Uint8Array.from(random.bytes(32));
  const publicKey = ed25519.publicKeyOf(secretKey);
  return {
    peerId: peerIdFromBytes(publicKey),
    publicKey,
    sign: (message) => ed25519.sign(message, secretKey),
  };
}
