// The ordered list of a content's chunks, and the content ID made from it (docs/protocol.md, Content).
// Encoded: per chunk its 32-byte hash and its length (u32, big-endian).

import { CONTENT_HASH_BYTES, contentHashFromBytes, idBytes, type ContentHash } from "../core/ids.ts";
import {
  CHUNK_SIZE_BYTES_MAX,
  CHUNK_SIZE_BYTES_MIN,
  MANIFEST_CHUNKS_MAX,
  MANIFEST_ITEM_BYTES,
  MANIFEST_PART_BYTES_MAX,
} from "../core/limits.ts";
import { portableBlake3 } from "./blake3-portable.ts";
import type { Blake3 } from "./blake3.ts";

const CONTENT_ID_CONTEXT = "dsync 2026 content id v1";
/** For the first chunks of most files: 16 MiB of content. */
const BUILDER_ITEMS_INITIAL = 64;

/** A checked manifest: a view on its encoded form. */
export interface Manifest {
  readonly encoded: Uint8Array;
  /** Chunks: at least one (an empty file is one chunk of length 0). */
  readonly count: number;
  /** Bytes of the whole content. */
  readonly size: number;
  /** Bytes of one chunk. */
  lengthOf(index: number): number;
  hashOf(index: number): ContentHash;
}

/** One chunk of a manifest. */
export interface ManifestItem {
  readonly hash: ContentHash;
  /** Bytes. */
  readonly length: number;
}

/**
 * Checks that `encoded` is what a chunker can have made; it keeps the bytes. The size always fits a double: more chunks
 * than 2^33 no buffer holds.
 */
export function parseManifest(encoded: Uint8Array): Manifest | undefined {
  if (encoded.length === 0 || encoded.length % MANIFEST_ITEM_BYTES !== 0) return undefined;
  const count = encoded.length / MANIFEST_ITEM_BYTES;
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  const lengthOf = (index: number): number => view.getUint32(index * MANIFEST_ITEM_BYTES + CONTENT_HASH_BYTES);
  let size = 0;
  for (let index = 0; index < count; index++) {
    const length = lengthOf(index);
    if (length > CHUNK_SIZE_BYTES_MAX || length < lengthMin(index, count)) return undefined;
    size += length;
  }
  return { encoded, count, size, lengthOf, hashOf: (index) => contentHashFromBytes(hashBytes(encoded, index)) };
}

/** Only the last chunk may be shorter than the minimum, and only an empty content has an empty one. */
function lengthMin(index: number, count: number): number {
  if (index < count - 1) return CHUNK_SIZE_BYTES_MIN;
  return count === 1 ? 0 : 1;
}

/** One chunk: its hash. Several: BLAKE3 in derive-key mode over the encoded manifest. `blake3` matters for speed alone. */
export function contentIdOf(
  manifest: Pick<Manifest, "encoded" | "count">,
  blake3: Blake3 = portableBlake3,
): ContentHash {
  const { encoded, count } = manifest;
  return contentHashFromBytes(count === 1 ? hashBytes(encoded, 0) : blake3.deriveKey(CONTENT_ID_CONTEXT, encoded));
}

/** The wire's and the index's form of `items`. */
export function encodeManifest(items: Iterable<ManifestItem>): Uint8Array {
  const builder = new ManifestBuilder();
  for (const item of items) builder.add(idBytes(item.hash), item.length);
  return builder.encoded();
}

/** More chunks than anybody may have to keep in memory. */
export class TooManyChunks extends Error {
  readonly code = "EFBIG";

  constructor() {
    super(`It has more than ${MANIFEST_CHUNKS_MAX} chunks.`);
  }
}

/** What travels of an encoded manifest to somebody who knows `from` chunks. */
export function partOf(encoded: Uint8Array, from: number): Uint8Array {
  const start = from * MANIFEST_ITEM_BYTES;
  return encoded.subarray(start, start + MANIFEST_PART_BYTES_MAX);
}

/** Encodes a manifest chunk by chunk, without an object for each. */
export class ManifestBuilder {
  #bytes = Buffer.allocUnsafeSlow(BUILDER_ITEMS_INITIAL * MANIFEST_ITEM_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `hash`: 32 bytes, copied. Throws an Error with the code EFBIG beyond MANIFEST_CHUNKS_MAX. */
  add(hash: Uint8Array, length: number): void {
    if (this.#count === MANIFEST_CHUNKS_MAX) throw new TooManyChunks();
    const start = this.#count * MANIFEST_ITEM_BYTES;
    if (start === this.#bytes.length) this.#grow();
    this.#bytes.set(hash, start);
    this.#bytes.writeUInt32BE(length, start + CONTENT_HASH_BYTES);
    this.#count++;
  }

  /** A copy in memory of its own, so that it can move between threads. */
  encoded(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.#count * MANIFEST_ITEM_BYTES));
  }

  #grow(): void {
    const bytes = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

function hashBytes(encoded: Uint8Array, index: number): Uint8Array {
  const start = index * MANIFEST_ITEM_BYTES;
  return encoded.subarray(start, start + CONTENT_HASH_BYTES);
}
