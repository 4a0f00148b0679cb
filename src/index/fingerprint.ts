// Path hashes and entry fingerprints: the 128-bit values that the Merkle tree adds up (docs/protocol.md, Fingerprints).
// Pure: the hash (BLAKE3 in the product) is an argument. The bytes are part of the protocol version.
//
// path hash     first 16 bytes of hash(path in UTF-8)
// fingerprint   first 16 bytes of hash(
//                 u16 path length, path,
//                 u16 items of seen, each: 8 bytes replica, u64 counter,
//                 u8 kind (0 tombstone, 1 file, 2 directory, 3 symlink), and unless it is 0:
//                   8 bytes replica and u64 counter of the dot, u64 stamp, u8 author length, author,
//                   file: 32 bytes content ID, u64 size, u16 mode, i64 mtimeUs; directory: u16 mode;
//                   symlink: u16 target length, target)
// Integers are big-endian, texts UTF-8, lengths in bytes. An entry that has seen nothing has the fingerprint 0.

import { CONTENT_HASH_BYTES, REPLICA_ID_BYTES, type ContentHash, type ReplicaId } from "../core/ids.ts";
import { NAME_BYTES_MAX, PATH_BYTES_MAX, SYMLINK_TARGET_BYTES_MAX, VECTOR_ITEMS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { FINGERPRINT_BYTES } from "./merkle.ts";
import type { Entry, Version } from "./entry.ts";

/** Computes path hashes and fingerprints; holds one buffer that it reuses. */
export interface Fingerprinter {
  /** 16 bytes, the caller's to keep. */
  readonly pathHash: (path: RelativePath) => Uint8Array;
  /** 16 bytes, the caller's to keep. */
  readonly entryFingerprint: (path: RelativePath, entry: Entry) => Uint8Array;
}

const FIXED_BYTES_MAX = 128;
const INPUT_BYTES_MAX =
  PATH_BYTES_MAX +
  VECTOR_ITEMS_MAX * (REPLICA_ID_BYTES + 8) +
  NAME_BYTES_MAX +
  SYMLINK_TARGET_BYTES_MAX +
  FIXED_BYTES_MAX;

/** `hash` returns at least 16 bytes and keeps nothing of its argument. */
export function createFingerprinter(hash: (bytes: Uint8Array) => Uint8Array): Fingerprinter {
  const writer = new Writer();
  // Copied, because a Buffer's slice would be a view.
  const hashWritten = (): Uint8Array => new Uint8Array(hash(writer.written()).subarray(0, FINGERPRINT_BYTES));
  return {
    pathHash(path) {
      writer.reset();
      writer.text(path);
      return hashWritten();
    },
    entryFingerprint(path, entry) {
      if (entry.seen.length === 0) return new Uint8Array(FINGERPRINT_BYTES);
      writer.reset();
      writeEntry(writer, path, entry);
      return hashWritten();
    },
  };
}

function writeEntry(writer: Writer, path: RelativePath, entry: Entry): void {
  writer.u16(Buffer.byteLength(path));
  writer.text(path);
  writer.u16(entry.seen.length);
  for (const [replica, counter] of entry.seen) {
    writer.id(replica, REPLICA_ID_BYTES);
    writer.i64(counter);
  }
  if (entry.live === undefined) writer.u8(0);
  else writeVersion(writer, entry.live);
}

function writeVersion(writer: Writer, version: Version): void {
  const { dot, stamp, author, content } = version;
  writer.u8(content.kind === "file" ? 1 : content.kind === "directory" ? 2 : 3);
  writer.id(dot.replica, REPLICA_ID_BYTES);
  writer.i64(dot.counter);
  writer.i64(stamp);
  writer.u8(Buffer.byteLength(author));
  writer.text(author);
  switch (content.kind) {
    case "file":
      writer.id(content.contentId, CONTENT_HASH_BYTES);
      writer.i64(content.size);
      writer.u16(content.mode);
      writer.i64(content.mtimeUs);
      return;
    case "directory":
      writer.u16(content.mode);
      return;
    case "symlink":
      writer.u16(Buffer.byteLength(content.target));
      writer.text(content.target);
  }
}

/** Appends values to one buffer that is large enough for the largest entry. */
class Writer {
  readonly #bytes = Buffer.alloc(INPUT_BYTES_MAX);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#length = this.#bytes.writeUInt8(value, this.#length);
  }

  u16(value: number): void {
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
  }

  /** Two's complement of a safe integer. */
  i64(value: number): void {
    const high = Math.floor(value / 2 ** 32);
    this.#length = this.#bytes.writeInt32BE(high, this.#length);
    this.#length = this.#bytes.writeUInt32BE(value - high * 2 ** 32, this.#length);
  }

  id(id: ReplicaId | ContentHash, bytes: number): void {
    this.#length += this.#bytes.write(id, this.#length, bytes, "hex");
  }

  text(text: string): void {
    this.#length += this.#bytes.write(text, this.#length, "utf8");
  }
}
