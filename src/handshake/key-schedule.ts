// From the secret that two hellos agree on to the keys of a channel: HKDF (RFC 5869) with SHA-256.
// SHA-256 and not BLAKE3, because HKDF is specified, analysed and everywhere available with it; it runs once a channel.

import { blake3 } from "@noble/hashes/blake3.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { AEAD_KEY_BYTES } from "./aead.ts";

const NO_SHARE = new Uint8Array(0);

/** Independent keys: for each direction, one that seals a single proof of identity and one that seals records. */
export interface KeySchedule {
  /** What a client that knows the passphrase sends to show it; 32 bytes, no key. Likewise the server's. */
  readonly clientConfirmation: Uint8Array;
  readonly serverConfirmation: Uint8Array;
  readonly clientProofKey: Uint8Array;
  readonly serverProofKey: Uint8Array;
  readonly clientRecordKey: Uint8Array;
  readonly serverRecordKey: Uint8Array;
}

export interface KeyScheduleInput {
  /** 32 bytes: what X25519 (RFC 7748 §6.1) makes of the two ephemeral keys. */
  readonly sharedSecret: Uint8Array;
  /** 64 bytes that only those who know the passphrase share; none without a passphrase. */
  readonly passphraseKey?: Uint8Array | undefined;
  /** 32 bytes: see {@link hashTranscript}. */
  readonly transcriptHash: Uint8Array;
}

/** The keys depend on every bit of both hellos, so that a changed hello gives keys that fit nothing. */
export function deriveKeys({ sharedSecret, passphraseKey, transcriptHash }: KeyScheduleInput): KeySchedule {
  const secret = passphraseKey === undefined ? sharedSecret : Buffer.concat([sharedSecret, passphraseKey]);
  const root = extract(sha256, secret, transcriptHash);
  if (passphraseKey !== undefined) secret.fill(0);
  const derive = (label: string) => expand(sha256, root, Buffer.from(`dsync ${label}`), AEAD_KEY_BYTES);
  return {
    clientConfirmation: derive("client confirmation"),
    serverConfirmation: derive("server confirmation"),
    clientProofKey: derive("client proof"),
    serverProofKey: derive("server proof"),
    clientRecordKey: derive("client records"),
    serverRecordKey: derive("server records"),
  };
}

/**
 * BLAKE3 of both hellos and, with a passphrase, the client's share: the same on both sides, and never the same twice,
 * since both hellos hold a fresh challenge.
 */
export function hashTranscript(
  clientHello: Uint8Array,
  serverHello: Uint8Array,
  clientShare: Uint8Array = NO_SHARE,
): Uint8Array {
  return blake3(Buffer.concat([clientHello, serverHello, clientShare]));
}
