// The first message of each side: 105 bytes, the same layout both ways, parsed by hand.
//
//   0  5  "dsync"               the first nine bytes keep their meaning in every version,
//   5  1  role: "C" or "S"      so that two versions can tell each other what they are
//   6  2  protocol version, big-endian
//   8  1  mode: 0 without a passphrase, 1 with one
//   9 32  X25519 ephemeral key
//  41 32  challenge: never used twice; the server's is random, the client's the hash of something random
//  73 32  passphrase share: the server's in mode 1, else zero

/** The client dialled, the server accepted. */
export type Role = "client" | "server";

export const HELLO_HEAD_BYTES = 9;
export const HELLO_BYTES = 105;
export const EPHEMERAL_KEY_BYTES = 32;
export const CHALLENGE_BYTES = 32;

export const SHARE_BYTES = 32;

/** Whether a passphrase takes part. */
export type HelloMode = "open" | "passphrase";

const MODE_CODES = { open: 0, passphrase: 1 } as const satisfies Record<HelloMode, number>;

const MAGIC = Buffer.from("dsync");
const ROLE_CODES = { client: 0x43, server: 0x53 } as const satisfies Record<Role, number>;
const EPHEMERAL_KEY_AT = HELLO_HEAD_BYTES;
const CHALLENGE_AT = EPHEMERAL_KEY_AT + EPHEMERAL_KEY_BYTES;
const SHARE_AT = CHALLENGE_AT + CHALLENGE_BYTES;

export interface Hello {
  readonly role: Role;
  readonly version: number;
  readonly mode: HelloMode;
  readonly ephemeralKey: Uint8Array;
  readonly challenge: Uint8Array;
}

export function encodeHello({ role, version, mode, ephemeralKey, challenge }: Hello): Uint8Array {
  const bytes = Buffer.alloc(HELLO_BYTES);
  bytes.set(MAGIC, 0);
  bytes[5] = ROLE_CODES[role];
  bytes.writeUInt16BE(version, 6);
  bytes[8] = MODE_CODES[mode];
  bytes.set(ephemeralKey, EPHEMERAL_KEY_AT);
  bytes.set(challenge, CHALLENGE_AT);
  return bytes;
}

/** What a hello's head says, as far as two sides must agree on it. */
export type HelloHead =
  | { readonly kind: "not-dsync" }
  | { readonly kind: "dsync"; readonly role: Role; readonly version: number; readonly mode: HelloMode | "unknown" };

/** `head`: the first 9 bytes of a hello. */
export function parseHelloHead(head: Uint8Array): HelloHead {
  const bytes = Buffer.from(head.buffer, head.byteOffset, HELLO_HEAD_BYTES);
  const code = bytes.readUInt8(5);
  const role = code === ROLE_CODES.client ? "client" : code === ROLE_CODES.server ? "server" : undefined;
  if (role === undefined || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: "not-dsync" };
  return { kind: "dsync", role, version: bytes.readUInt16BE(6), mode: parseMode(bytes.readUInt8(8)) };
}

function parseMode(code: number): HelloMode | "unknown" {
  if (code === MODE_CODES.open) return "open";
  return code === MODE_CODES.passphrase ? "passphrase" : "unknown";
}

/** `hello`: all 105 bytes of it. */
export function ephemeralKeyOf(hello: Uint8Array): Uint8Array {
  return hello.subarray(EPHEMERAL_KEY_AT, CHALLENGE_AT);
}

/** `hello`: all 105 bytes of it. */
export function challengeOf(hello: Uint8Array): Uint8Array {
  return hello.subarray(CHALLENGE_AT, SHARE_AT);
}

/** `hello`: all 105 bytes of it. */
export function shareOf(hello: Uint8Array): Uint8Array {
  return hello.subarray(SHARE_AT);
}

/** The same hello with another share. */
export function withShare(hello: Uint8Array, share: Uint8Array): Uint8Array {
  return Buffer.concat([hello.subarray(0, SHARE_AT), share], HELLO_BYTES);
}

/** The same hello with a share of zeros. */
export function withoutShare(hello: Uint8Array): Uint8Array {
  return withShare(hello, new Uint8Array(SHARE_BYTES));
}
