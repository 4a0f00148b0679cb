// One path record as bytes in the index. Never on the wire: only this machine reads what it wrote.
//
// A fixed head comes first, so that a scan can compare signatures without decoding the entries:
//   [flags u8][fingerprint 16 bytes], then, if there is a signature,
//   [kind u8][mode u16][size f64][mtimeNs i64][ctimeNs i64][inode u64], all big-endian;
// then MessagePack values one after the other: path, known and, where it differs, present.

import { Packr } from "msgpackr";
import { DsyncError } from "../core/errors.ts";
import { parsePath, type RelativePath } from "../core/path.ts";
import { encodeEntry, parseEntry } from "./entry-codec.ts";
import { EMPTY_ENTRY, type Entry, type PathRecord, type Presence, type StatSignature } from "./entry.ts";
import { FINGERPRINT_BYTES } from "./merkle.ts";

const HAS_SIGNATURE = 1;
const IS_RESIDUE = 2;
/** Something live is present. Where it is not set, the record itself tells: those of older versions lack it. */
const IS_PRESENT = 4;

const FINGERPRINT_AT = 1;
const SIGNATURE_AT = FINGERPRINT_AT + FINGERPRINT_BYTES;
const SIGNATURE_BYTES = 1 + 2 + 4 * 8;

const KINDS = ["file", "directory", "symlink"] as const;

const packr = new Packr({ useRecords: false });

/** What most paths hold before their content arrives. */
const PACKED_EMPTY_ENTRY = packr.pack(encodeEntry(EMPTY_ENTRY));

/** An entry as it is in a record: that of the known entry can be used again when the rest of the record changes. */
export function packEntry(entry: Entry): Uint8Array {
  return entry === EMPTY_ENTRY ? PACKED_EMPTY_ENTRY : packr.pack(encodeEntry(entry));
}

/** `fingerprint` (16 bytes) and `packedKnown`: of the known entry. */
export function encodeRecord(
  record: PathRecord,
  fingerprint: Uint8Array,
  packedKnown = packEntry(record.known),
): Buffer {
  const { path, known, present, signature } = record;
  const body = [packr.pack(path), packedKnown];
  if (known !== present) body.push(packEntry(present));
  const head = Buffer.allocUnsafe(SIGNATURE_AT + (signature === undefined ? 0 : SIGNATURE_BYTES));
  head[0] =
    (signature === undefined ? 0 : HAS_SIGNATURE) |
    (record.residue ? IS_RESIDUE : 0) |
    (present.live === undefined ? 0 : IS_PRESENT);
  head.set(fingerprint, FINGERPRINT_AT);
  if (signature !== undefined) writeSignature(head, signature);
  return Buffer.concat([head, ...body]);
}

/** Throws a DsyncError `index` if the bytes are not what `encodeRecord` made. */
export function parseRecord(bytes: Uint8Array): PathRecord {
  const buffer = asBuffer(bytes);
  const signature = parseSignature(buffer);
  const items = unpack(buffer.subarray(SIGNATURE_AT + (signature === undefined ? 0 : SIGNATURE_BYTES)));
  if (items.length < 2 || items.length > 3) throw damaged();
  const path = parsePath(items[0]);
  const known = parseEntry(items[1]);
  const present = items.length === 2 ? known : parseEntry(items[2]);
  if (path === undefined || known === undefined || present === undefined) throw damaged();
  return { path, known, present, signature, residue: (flagsOf(buffer) & IS_RESIDUE) !== 0 };
}

/**
 * The path, and the signature of what is live there; no signature if there is nothing, or only the whole record tells.
 * Several times cheaper than that, and the path is taken as it stands.
 */
export function parsePresence(bytes: Uint8Array): Presence {
  const buffer = asBuffer(bytes);
  const path = parseRecordPath(buffer);
  const signature = parseSignature(buffer);
  const isPresent = (flagsOf(buffer) & IS_PRESENT) !== 0 || parseRecord(buffer).present.live !== undefined;
  return { path, signature: isPresent ? signature : undefined };
}

/** The path alone, as it stands. */
export function parseRecordPath(bytes: Uint8Array): RelativePath {
  const buffer = asBuffer(bytes);
  const hasSignature = (flagsOf(buffer) & HAS_SIGNATURE) !== 0;
  return textAt(buffer, SIGNATURE_AT + (hasSignature ? SIGNATURE_BYTES : 0)) as RelativePath;
}

/** The signature alone: several times cheaper than the whole record. */
export function parseSignature(bytes: Uint8Array): StatSignature | undefined {
  const buffer = asBuffer(bytes);
  if ((flagsOf(buffer) & HAS_SIGNATURE) === 0) return undefined;
  if (buffer.length < SIGNATURE_AT + SIGNATURE_BYTES) throw damaged();
  const kind = KINDS[buffer.readUInt8(SIGNATURE_AT)];
  if (kind === undefined) throw damaged();
  return {
    kind,
    mode: buffer.readUInt16BE(SIGNATURE_AT + 1),
    size: buffer.readDoubleBE(SIGNATURE_AT + 3),
    mtimeNs: buffer.readBigInt64BE(SIGNATURE_AT + 11),
    ctimeNs: buffer.readBigInt64BE(SIGNATURE_AT + 19),
    inode: buffer.readBigUInt64BE(SIGNATURE_AT + 27),
  };
}

/** The fingerprint of the known entry. */
export function parseFingerprint(bytes: Uint8Array): Uint8Array {
  if (bytes.length < SIGNATURE_AT) throw damaged();
  return bytes.subarray(FINGERPRINT_AT, SIGNATURE_AT);
}

function writeSignature(target: Buffer, signature: StatSignature): void {
  target.writeUInt8(KINDS.indexOf(signature.kind), SIGNATURE_AT);
  target.writeUInt16BE(signature.mode, SIGNATURE_AT + 1);
  target.writeDoubleBE(signature.size, SIGNATURE_AT + 3);
  target.writeBigInt64BE(signature.mtimeNs, SIGNATURE_AT + 11);
  target.writeBigInt64BE(signature.ctimeNs, SIGNATURE_AT + 19);
  target.writeBigUInt64BE(signature.inode, SIGNATURE_AT + 27);
}

function flagsOf(bytes: Buffer): number {
  if (bytes.length < SIGNATURE_AT) throw damaged();
  return bytes.readUInt8(0);
}

/** A MessagePack string (fixstr, str 8, str 16: paths are no longer). */
function textAt(buffer: Buffer, at: number): string {
  const tag = buffer[at] ?? 0;
  if (tag >= 0xa0 && tag < 0xc0) return buffer.toString("utf8", at + 1, at + 1 + (tag & 0x1f));
  if (tag === 0xd9 && at + 2 <= buffer.length)
    return buffer.toString("utf8", at + 2, at + 2 + buffer.readUInt8(at + 1));
  if (tag === 0xda && at + 3 <= buffer.length) {
    return buffer.toString("utf8", at + 3, at + 3 + buffer.readUInt16BE(at + 1));
  }
  throw damaged();
}

function unpack(bytes: Buffer): readonly unknown[] {
  try {
    return packr.unpackMultiple(bytes);
  } catch (error) {
    throw damaged(error);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function damaged(cause?: unknown): DsyncError {
  return new DsyncError(
    "index",
    "The index holds a record that cannot be read. Stop dsync and delete .dsync/index in the folder: " +
      "nothing is lost, the next start reads every file again.",
    { cause },
  );
}
