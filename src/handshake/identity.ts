// Who an instance is: an Ed25519 key pair (RFC 8032) that lives in memory only, for as long as the process runs.

import { ed25519 } from "@noble/curves/ed25519.js";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import type { Random } from "../edge/random.ts";

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

/** Mints an identity from 32 fresh random bytes. */
export function createIdentity(random: Random): Identity {
  const secretKey = Uint8Array.from(random.bytes(32));
  const publicKey = ed25519.getPublicKey(secretKey);
  return {
    peerId: peerIdFromBytes(publicKey),
    publicKey,
    sign: (message) => ed25519.sign(message, secretKey),
  };
}

/** A signature and what it is said to be of. */
export interface SignatureClaim {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** RFC 8032 §5.1.7, strictly: encodings that are not canonical and public keys of small order are refused. */
export function isSignatureValid({ publicKey, message, signature }: SignatureClaim): boolean {
  // The library's default (ZIP 215) accepts both, so that one signature could pass for several keys.
  return ed25519.verify(signature, message, publicKey, { zip215: false });
}
