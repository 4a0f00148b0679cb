// One mark (index-store.ts) as bytes in the index: MessagePack [path, boot ID, [entries that the path had before]].

import { Packr } from "msgpackr";
import { parsePath, type RelativePath } from "../core/path.ts";
import { encodeEntry, parseEntry } from "./entry-codec.ts";
import type { Entry } from "./entry.ts";

const packr = new Packr({ useRecords: false });

/** What a row of the table `marks` says. */
export interface MarkRow {
  readonly path: RelativePath;
  /** The boot of this machine on which the mark was made; empty if unknown. */
  readonly bootId: string;
  readonly before: readonly Entry[];
}

export function encodeMark({ path, bootId, before }: MarkRow): Uint8Array {
  return packr.pack([path, bootId, before.map(encodeEntry)]);
}

/** `undefined` if the bytes are not what `encodeMark` made. */
export function parseMark(bytes: Uint8Array): MarkRow | undefined {
  const fields = unpack(bytes);
  const path = parsePath(fields[0]);
  const [, bootId, items] = fields;
  if (path === undefined || typeof bootId !== "string" || !Array.isArray(items)) return undefined;
  const before: Entry[] = [];
  for (const item of items as readonly unknown[]) {
    const entry = parseEntry(item);
    if (entry === undefined) return undefined;
    before.push(entry);
  }
  return { path, bootId, before };
}

function unpack(bytes: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = packr.unpack(bytes);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
