// Entries as a hostile peer makes them: well formed, and nothing that an honest history leads to.

import { contentHash } from "../../src/content/blake3.ts";
import { replicaIdFromBytes, type ReplicaId } from "../../src/core/ids.ts";
import type { RelativePath } from "../../src/core/path.ts";
import type { Content, Entry } from "../../src/index/entry.ts";
import type { VersionVector } from "../../src/index/version-vector.ts";
import type { Announcement } from "../../src/pool/messages.ts";

/** The replica with that number. */
export function replicaNumber(number: number): ReplicaId {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(0xbad, 0);
  bytes.writeUInt32BE(number, 4);
  return replicaIdFromBytes(bytes);
}

/** What the sender says of a path that is not checked here: a test may send what is none. */
export function pathOf(text: string): RelativePath {
  return text as RelativePath;
}

export function fileContent(bytes: string | Uint8Array, mtimeMs = 1_700_000_000_000): Content {
  const buffer = Buffer.from(bytes);
  return { kind: "file", contentId: contentHash(buffer), size: buffer.length, mode: 0o644, mtimeUs: mtimeMs * 1000 };
}

export interface VersionFields {
  /** 1 by default. */
  readonly replica?: number | ReplicaId;
  readonly counter?: number;
  readonly stamp?: number;
  readonly author?: string;
  /** What the entry has seen beside its own dot, in order. */
  readonly seen?: VersionVector;
}

export function entryOf(content: Content | undefined, fields: VersionFields = {}): Entry {
  const { counter = 1_700_000_000_000, stamp = counter, author = "mallory", seen = [] } = fields;
  const replica = typeof fields.replica === "string" ? fields.replica : replicaNumber(fields.replica ?? 1);
  const others = seen.filter(([id]) => id !== replica);
  const vector = [...others, [replica, counter] as const].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    seen: vector,
    live: content === undefined ? undefined : { dot: { replica, counter }, stamp, author, content },
  };
}

/** The announcement of a small file with its content inline. */
export function fileAt(path: string, bytes: string | Uint8Array, fields: VersionFields = {}): Announcement {
  const buffer = Buffer.from(bytes);
  return { path: pathOf(path), entry: entryOf(fileContent(buffer), fields), held: true, inline: buffer };
}

export function announcement(path: string, content: Content | undefined, fields: VersionFields = {}): Announcement {
  return { path: pathOf(path), entry: entryOf(content, fields), held: true, inline: undefined };
}
