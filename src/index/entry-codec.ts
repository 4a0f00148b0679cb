// Entries as plain arrays for MessagePack, on the wire and on disk alike. Pure; every field is checked on the way in.
//
// [replicas, counters]                                                              a tombstone
// [replicas, counters, dotIndex, dotCounter, stamp, author, kind, ...content]       a live version
//
// `replicas`: the replica IDs of `seen`, 8 bytes each, in one byte string; `counters`: as many numbers. `dotIndex` says
// which of these replicas made the live version. Content by kind: 0 file: contentId (32 bytes), size, mode, mtimeUs;
// 1 directory: mode; 2 symlink: target.

import { CONTENT_HASH_BYTES, REPLICA_ID_BYTES, contentHashFromBytes, idBytes, type ReplicaId } from "../core/ids.ts";
import {
  COUNTER_MAX,
  FILE_SIZE_BYTES_MAX,
  NAME_BYTES_MAX,
  STAMP_MS_MAX,
  SYMLINK_TARGET_BYTES_MAX,
  VECTOR_ITEMS_MAX,
} from "../core/limits.ts";
import { EMPTY_ENTRY, type Content, type Entry, type Version } from "./entry.ts";
import type { VersionVector } from "./version-vector.ts";

const KIND_FILE = 0;
const KIND_DIRECTORY = 1;
const KIND_SYMLINK = 2;

const REPLICA_HEX_LENGTH = 2 * REPLICA_ID_BYTES;
const TOMBSTONE_FIELDS = 2;
const FILE_FIELDS = 11;
const DIRECTORY_FIELDS = 8;
const SYMLINK_FIELDS = 8;
const MODE_MAX = 0o7777;

/** The array that stands for `entry`. */
export function encodeEntry(entry: Entry): unknown[] {
  const { seen, live } = entry;
  let hex = "";
  let dotIndex = -1;
  const counters: number[] = [];
  for (const [replica, counter] of seen) {
    if (replica === live?.dot.replica) dotIndex = counters.length;
    hex += replica;
    counters.push(counter);
  }
  const replicas = Buffer.from(hex, "hex");
  if (live === undefined) return [replicas, counters];
  const { dot, stamp, author, content } = live;
  switch (content.kind) {
    case "file": {
      const { contentId, size, mode, mtimeUs } = content;
      const id = idBytes(contentId);
      return [replicas, counters, dotIndex, dot.counter, stamp, author, KIND_FILE, id, size, mode, mtimeUs];
    }
    case "directory":
      return [replicas, counters, dotIndex, dot.counter, stamp, author, KIND_DIRECTORY, content.mode];
    case "symlink":
      return [replicas, counters, dotIndex, dot.counter, stamp, author, KIND_SYMLINK, content.target];
  }
}

/**
 * The entry that `value` stands for, or `undefined` if it is not one: a wrong type, a value out of its range, a vector
 * that is not in ascending order, a live version that its own vector has not seen.
 */
export function parseEntry(value: unknown): Entry | undefined {
  if (!Array.isArray(value)) return undefined;
  const fields: readonly unknown[] = value;
  const seen = parseVector(fields[0], fields[1]);
  if (seen === undefined) return undefined;
  if (fields.length === TOMBSTONE_FIELDS) return seen.length === 0 ? EMPTY_ENTRY : { seen, live: undefined };
  const live = parseVersion(seen, fields);
  return live === undefined ? undefined : { seen, live };
}

function parseVector(replicas: unknown, counters: unknown): VersionVector | undefined {
  if (!(replicas instanceof Uint8Array) || !Array.isArray(counters)) return undefined;
  if (counters.length > VECTOR_ITEMS_MAX || replicas.length !== counters.length * REPLICA_ID_BYTES) return undefined;
  const items: readonly unknown[] = counters;
  const hex = Buffer.from(replicas.buffer, replicas.byteOffset, replicas.length).toString("hex");
  const vector: (readonly [ReplicaId, number])[] = [];
  let previous = "";
  for (let i = 0; i < items.length; i++) {
    const replica = hex.slice(i * REPLICA_HEX_LENGTH, (i + 1) * REPLICA_HEX_LENGTH);
    const counter = items[i];
    if (replica <= previous || !isIntegerWithin(counter, 1, COUNTER_MAX)) return undefined;
    vector.push([replica as ReplicaId, counter]);
    previous = replica;
  }
  return vector;
}

function parseVersion(seen: VersionVector, fields: readonly unknown[]): Version | undefined {
  const [, , dotIndex, counter, stamp, author] = fields;
  if (!isIntegerWithin(dotIndex, 0, seen.length - 1)) return undefined;
  const item = seen[dotIndex];
  if (item === undefined || !isIntegerWithin(counter, 1, item[1])) return undefined;
  if (!isIntegerWithin(stamp, 0, STAMP_MS_MAX) || !isText(author, NAME_BYTES_MAX)) return undefined;
  const content = parseContent(fields);
  return content === undefined ? undefined : { dot: { replica: item[0], counter }, stamp, author, content };
}

function parseContent(fields: readonly unknown[]): Content | undefined {
  switch (fields[6]) {
    case KIND_FILE: {
      const [, , , , , , , id, size, mode, mtimeUs] = fields;
      if (fields.length !== FILE_FIELDS || !(id instanceof Uint8Array) || id.length !== CONTENT_HASH_BYTES) {
        return undefined;
      }
      if (!isIntegerWithin(size, 0, FILE_SIZE_BYTES_MAX) || !isIntegerWithin(mode, 0, MODE_MAX)) return undefined;
      if (!isIntegerWithin(mtimeUs, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)) return undefined;
      return { kind: "file", contentId: contentHashFromBytes(id), size, mode, mtimeUs };
    }
    case KIND_DIRECTORY: {
      const mode = fields[7];
      if (fields.length !== DIRECTORY_FIELDS || !isIntegerWithin(mode, 0, MODE_MAX)) return undefined;
      return { kind: "directory", mode };
    }
    case KIND_SYMLINK: {
      const target = fields[7];
      if (fields.length !== SYMLINK_FIELDS || !isText(target, SYMLINK_TARGET_BYTES_MAX)) return undefined;
      return target === "" || target.includes("\0") ? undefined : { kind: "symlink", target };
    }
    default:
      return undefined;
  }
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
}

function isText(value: unknown, bytesMax: number): value is string {
  if (typeof value !== "string" || value.length > bytesMax || !value.isWellFormed()) return false;
  return value.length * 3 <= bytesMax || Buffer.byteLength(value) <= bytesMax;
}
