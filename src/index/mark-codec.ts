// One mark (index-store.ts) as bytes in the index:
//   [a tag of the boot it was made in, 8 bytes][MessagePack: the entries that the path had before]
// The path is its record's, whose key is in the mark's. Rows are many after a large transfer, and mostly say the same.

import { Packr } from "msgpackr";
import { encodeEntry, parseEntry } from "./entry-codec.ts";
import { EMPTY_ENTRY, type Entry } from "./entry.ts";

const BOOT_TAG_BYTES = 8;

const packr = new Packr({ useRecords: false });
/** Most paths were new. */
const NOTHING_BEFORE = packr.pack([encodeEntry(EMPTY_ENTRY)]);

/** What a row of the table `marks` says. */
export interface MarkRow {
  /** Of the boot of this machine on which the mark was made: see {@link bootTagOf}. */
  readonly bootTag: Uint8Array;
  readonly before: readonly Entry[];
}

/** Tells boots apart by 8 bytes of `hash`; all zeros if the boot is unknown. */
export function bootTagOf(bootId: string, hash: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  if (bootId === "") return new Uint8Array(BOOT_TAG_BYTES);
  return Uint8Array.from(hash(Buffer.from(bootId)).subarray(0, BOOT_TAG_BYTES));
}

/** False also if both are unknown. */
export function isSameBoot(one: Uint8Array, other: Uint8Array): boolean {
  return one.some((byte) => byte !== 0) && Buffer.compare(one, other) === 0;
}

export function encodeMark({ bootTag, before }: MarkRow): Uint8Array {
  const isNew = before.length === 1 && before[0] === EMPTY_ENTRY;
  return Buffer.concat([bootTag, isNew ? NOTHING_BEFORE : packr.pack(before.map(encodeEntry))]);
}

/** `undefined` if the bytes are not what `encodeMark` made. */
export function parseMark(bytes: Uint8Array): MarkRow | undefined {
  const items = unpack(bytes.subarray(BOOT_TAG_BYTES));
  if (items === undefined || bytes.length <= BOOT_TAG_BYTES) return undefined;
  const before: Entry[] = [];
  for (const item of items) {
    const entry = parseEntry(item);
    if (entry === undefined) return undefined;
    before.push(entry);
  }
  return { bootTag: Uint8Array.from(bytes.subarray(0, BOOT_TAG_BYTES)), before };
}

function unpack(bytes: Uint8Array): readonly unknown[] | undefined {
  try {
    const value: unknown = packr.unpack(bytes);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
