// CPace, a balanced PAKE, in the cipher suite CPACE-RISTR255-SHA512 and the initiator-responder setting. The names and
// byte layouts are those of draft-irtf-cfrg-cpace-21, whose appendix B.3 holds the vectors that the test checks.
//
// Nothing here knows hellos or roles: see passphrase-exchange.ts.

import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { invariant } from "../core/assert.ts";

/** Of a scalar before its top bits are cleared, and of a share. */
export const CPACE_BYTES = 32;

const DSI = Buffer.from("CPaceRistretto255");
const DSI_ISK = Buffer.from("CPaceRistretto255_ISK");
/** The block that SHA-512 reads at a time. */
const HASH_BLOCK_BYTES = 128;
/** The largest number of bits that fits below the group's order (§7.3). */
const SCALAR_TOP_BYTE_MASK = 0x0f;

type Point = InstanceType<typeof ristretto255.Point>;

/** What both sides know before they begin. */
export interface CpaceInputs {
  /** PRS: the password-related string. */
  readonly password: Uint8Array;
  /** CI: names the use, so that shares of one use mean nothing to another. */
  readonly channel: Uint8Array;
  /** sid: of this run alone. */
  readonly sessionId: Uint8Array;
}

/** One side's message: its share and what is authenticated with it. */
export interface CpaceMessage {
  readonly share: Uint8Array;
  readonly associatedData: Uint8Array;
}

/** lv_cat(DSI, PRS, padding, CI, sid): the padding fills the first block, so that time tells nothing of a short password. */
export function generatorString({ password, channel, sessionId }: CpaceInputs): Uint8Array {
  const used = withLength(password).length + withLength(DSI).length + 1;
  const padding = new Uint8Array(Math.max(0, HASH_BLOCK_BYTES - used));
  return joinWithLengths(DSI, password, padding, channel, sessionId);
}

/** G.calculate_generator: the point that only those who know the password can name. */
export function calculateGenerator(inputs: CpaceInputs): Point {
  const generator = ristretto255_hasher.deriveToCurve?.(sha512(generatorString(inputs)));
  invariant(generator !== undefined, "ristretto255 has the one-way map of RFC 9496 §4.3.4");
  return generator;
}

/** G.sample_scalar, from 32 random bytes. */
export function scalarFrom(random: Uint8Array): bigint {
  const bytes = Uint8Array.from(random.subarray(0, CPACE_BYTES));
  bytes[CPACE_BYTES - 1] = (bytes[CPACE_BYTES - 1] ?? 0) & SCALAR_TOP_BYTE_MASK;
  return bytesToNumberLE(bytes);
}

/** G.scalar_mult: 32 bytes to send. */
export function makeShare(scalar: bigint, generator: Point): Uint8Array {
  return generator.multiply(scalar).toBytes();
}

/** G.scalar_mult_vfy: the secret point's 32 bytes, or `undefined` for what is no canonical encoding and for the identity. */
export function secretPoint(scalar: bigint, theirShare: Uint8Array): Uint8Array | undefined {
  try {
    const theirs = ristretto255.Point.fromBytes(theirShare);
    // The order is prime and the scalar is smaller, so the product is the identity only if the factor is.
    return theirs.is0() ? undefined : theirs.multiply(scalar).toBytes();
  } catch {
    return undefined;
  }
}

/** ISK, 64 bytes. `first` and `second`: the initiator's and the responder's message. */
export function intermediateKey(
  { sessionId, point }: { readonly sessionId: Uint8Array; readonly point: Uint8Array },
  first: CpaceMessage,
  second: CpaceMessage,
): Uint8Array {
  const transcript = [first, second].map(({ share, associatedData }) => joinWithLengths(share, associatedData));
  return sha512(Buffer.concat([joinWithLengths(DSI_ISK, sessionId, point), ...transcript]));
}

/** lv_cat: each part after its length. */
function joinWithLengths(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.map(withLength));
}

/** prepend_len: the length in LEB128, then the bytes. */
export function withLength(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.from([...length, rest]), bytes]);
}
