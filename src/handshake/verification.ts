// What two people compare to know that nobody sits between their machines: a value that both sides compute from one
// connection, and that nobody can steer. docs/decisions/0014, docs/protocol.md "Verification".
//
// Few bits must do, since they are read aloud. A relay holds one connection to each side, and would try hellos until both
// values agree; so neither side may choose anything once it can compute the value. The client commits to its half (its
// challenge is the opening's hash) before the server has said anything, and opens it after the server has.

import { timingSafeEqual } from "node:crypto";
import { blake3 } from "@noble/hashes/blake3.js";

export const OPENING_BYTES = 32;

/** What has gone over one connection. */
export interface VerificationInput {
  /** As sent, 105 bytes each. */
  readonly clientHello: Uint8Array;
  readonly serverHello: Uint8Array;
  /** 32 bytes: what the client's challenge was made of. */
  readonly opening: Uint8Array;
}

const COMMITMENT_CONTEXT = Buffer.from("dsync client challenge");
const VERIFICATION_CONTEXT = Buffer.from("dsync session verification");

/** The challenge (32 bytes) of a client that will open it with `opening` (32 random bytes). */
export function commitTo(opening: Uint8Array): Uint8Array {
  return blake3(opening, { context: COMMITMENT_CONTEXT });
}

/** True if `challenge` was made of `opening`. */
export function isOpening(opening: Uint8Array, challenge: Uint8Array): boolean {
  return timingSafeEqual(commitTo(opening), challenge);
}

/** 32 bytes that both sides show to their people, or the first of them. No secret, and no key. */
export function deriveVerification({ clientHello, serverHello, opening }: VerificationInput): Uint8Array {
  return blake3(Buffer.concat([clientHello, serverHello, opening]), { context: VERIFICATION_CONTEXT });
}
