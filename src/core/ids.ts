// Branded names of things, and the only ways to make them from outside text or bytes.

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A replica's label: 16 lower-case hex digits (64 bits). No credential. */
export type ReplicaId = Brand<string, "ReplicaId">;
/** An instance's Ed25519 public key: 64 lower-case hex digits. */
export type PeerId = Brand<string, "PeerId">;
/** A BLAKE3 hash of content: 64 lower-case hex digits. Names a chunk, or (content ID) a whole file. */
export type ContentHash = Brand<string, "ContentHash">;

export const REPLICA_ID_BYTES = 8;
export const PEER_ID_BYTES = 32;
export const CONTENT_HASH_BYTES = 32;

/** Returns the checked ID, or `undefined` if `text` is not one. */
export function parseReplicaId(text: unknown): ReplicaId | undefined {
  return typeof text === "string" && /^[0-9a-f]{16}$/.test(text) ? (text as ReplicaId) : undefined;
}

/** Returns the checked ID, or `undefined` if `text` is not one. */
export function parsePeerId(text: unknown): PeerId | undefined {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text) ? (text as PeerId) : undefined;
}

/** Returns the checked hash, or `undefined` if `text` is not one. */
export function parseContentHash(text: unknown): ContentHash | undefined {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text) ? (text as ContentHash) : undefined;
}

/** `bytes`: exactly 8. */
export function replicaIdFromBytes(bytes: Uint8Array): ReplicaId {
  return toHex(bytes, REPLICA_ID_BYTES) as ReplicaId;
}

/** `bytes`: exactly 32. */
export function peerIdFromBytes(bytes: Uint8Array): PeerId {
  return toHex(bytes, PEER_ID_BYTES) as PeerId;
}

/** `bytes`: exactly 32. */
export function contentHashFromBytes(bytes: Uint8Array): ContentHash {
  return toHex(bytes, CONTENT_HASH_BYTES) as ContentHash;
}

/** The raw bytes behind any of the IDs. */
export function idBytes(id: ReplicaId | PeerId | ContentHash): Buffer {
  return Buffer.from(id, "hex");
}

/** What a person sees of a peer ID: its first 8 hex digits. */
export function shortId(id: PeerId): string {
  return id.slice(0, 8);
}

function toHex(bytes: Uint8Array, length: number): string {
  if (bytes.length !== length) throw new RangeError(`Expected ${length} bytes, got ${bytes.length}.`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
