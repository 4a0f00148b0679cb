// The first message of each side: 105 bytes, the same layout both ways, parsed by hand.
//
//   0  5  "dsync"               the first nine bytes keep their meaning in every version,
//   5  1  role: "C" or "S"      so that two versions can tell each other what they are
//   6  2  protocol version, big-endian
//   8  1  mode: 0 without a passphrase, 1 with one
//   9 32  X25519 ephemeral key
//  41 32  challenge: random, never used twice
//  73 32  passphrase share; zero in mode 0

/** The client dialled, the server accepted. */
export type Role = "client" | "server";

export const HELLO_HEAD_BYTES = 9;
export const HELLO_BYTES = 105;
export const EPHEMERAL_KEY_BYTES = 32;
export const CHALLENGE_BYTES = 32;

/** Whether a passphrase takes part. Only `MODE_OPEN` is spoken so far. */
export const MODE_OPEN = 0;

const MAGIC = Buffer.from("dsync");
const ROLE_CODES = { client: 0x43, server: 0x53 } as const satisfies Record<Role, number>;
const EPHEMERAL_KEY_AT = HELLO_HEAD_BYTES;
const CHALLENGE_AT = EPHEMERAL_KEY_AT + EPHEMERAL_KEY_BYTES;

export interface Hello {
  readonly role: Role;
  readonly version: number;
  readonly ephemeralKey: Uint8Array;
  readonly challenge: Uint8Array;
}

export function encodeHello({ role, version, ephemeralKey, challenge }: Hello): Uint8Array {
  const bytes = Buffer.alloc(HELLO_BYTES);
  bytes.set(MAGIC, 0);
  bytes[5] = ROLE_CODES[role];
  bytes.writeUInt16BE(version, 6);
  bytes[8] = MODE_OPEN;
  bytes.set(ephemeralKey, EPHEMERAL_KEY_AT);
  bytes.set(challenge, CHALLENGE_AT);
  return bytes;
}

/** What a hello's head says, as far as two sides must agree on it. */
export type HelloHead =
  | { readonly kind: "not-dsync" }
  | { readonly kind: "dsync"; readonly role: Role; readonly version: number; readonly mode: number };

/** `head`: the first 9 bytes of a hello. */
export function parseHelloHead(head: Uint8Array): HelloHead {
  const bytes = Buffer.from(head.buffer, head.byteOffset, HELLO_HEAD_BYTES);
  const code = bytes.readUInt8(5);
  const role = code === ROLE_CODES.client ? "client" : code === ROLE_CODES.server ? "server" : undefined;
  if (role === undefined || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return { kind: "not-dsync" };
  return { kind: "dsync", role, version: bytes.readUInt16BE(6), mode: bytes.readUInt8(8) };
}

/** `hello`: all 105 bytes of it. */
export function ephemeralKeyOf(hello: Uint8Array): Uint8Array {
  return hello.subarray(EPHEMERAL_KEY_AT, CHALLENGE_AT);
}
