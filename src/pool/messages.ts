// The whole wire above the record layer, in the order of a conversation. docs/protocol.md says the same in prose.
//
// A frame is [type: u8][length: u32 big-endian][payload]. Frames follow one another in the plaintext stream of a channel
// and may span records. Payloads are MessagePack arrays, but for `chunk`, which is raw. Every field is checked on arrival;
// whatever fails a check throws a DsyncError `protocol`, which closes the session.

import { Packr } from "msgpackr";
import { protocolError } from "../core/errors.ts";
import { contentHashFromBytes, idBytes, replicaIdFromBytes, type ContentHash, type ReplicaId } from "../core/ids.ts";
import {
  BUCKET_ENTRIES_MAX,
  CHUNK_SIZE_BYTES_MAX,
  DATA_CHANNELS_MAX,
  ENTRIES_PER_MESSAGE_MAX,
  FETCHING_CONTENTS_MAX,
  FETCH_BYTES_MAX,
  FETCH_ITEMS_MAX,
  FILE_SIZE_BYTES_MAX,
  HAVE_CHUNKS_MAX,
  INLINE_CONTENT_BYTES_MAX,
  MANIFEST_CHUNKS_MAX,
  MANIFEST_PART_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  NAME_BYTES_MAX,
} from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { encodeEntry, parseEntry } from "../index/entry-codec.ts";
import type { Entry } from "../index/entry.ts";
import { CHILDREN_PER_NODE, FINGERPRINT_BYTES } from "../index/merkle.ts";
import { Fields } from "./fields.ts";

export const PROTOCOL_VERSION = 1;

/** First message on every channel, from both sides. */
export interface HelloMessage {
  readonly type: "hello";
  readonly purpose: "control" | "data";
  readonly share: string;
  readonly name: string;
  readonly replicaId: ReplicaId;
  /** How many data channels this side is willing to hold to this peer. */
  readonly dataChannelsMax: number;
}

/** Asks the dialer of the session to have this many data channels open. */
export interface WantChannelsMessage {
  readonly type: "want-channels";
  readonly count: number;
}

/** Something to say, to be answered by `pong`: keep-alive. */
export interface PingMessage {
  readonly type: "ping";
}
export interface PongMessage {
  readonly type: "pong";
}

/** Where this side stands: sent after the hello, when something of it changed, and now and then. */
export interface StandMessage {
  readonly type: "stand";
  /** 16 bytes: the root of the Merkle tree over the known entries. */
  readonly root: Uint8Array;
  /** Files and bytes that this side knows of and does not hold yet. */
  readonly pendingFiles: number;
  readonly pendingBytes: number;
}

/** The 256 child fingerprints of one Merkle node, to be compared. Answered, like the next two, by what follows and `compared`. */
export interface ChildrenMessage {
  readonly type: "children";
  /** Empty: the root's children. One byte: the buckets below that child. */
  readonly prefix: readonly number[];
  /** 256 × 16 bytes. */
  readonly fingerprints: Uint8Array;
}

/** What one bucket holds, to be compared: items of 16 bytes path hash and 16 bytes fingerprint, ascending. */
export interface SummaryMessage {
  readonly type: "summary";
  readonly prefix: readonly [number, number];
  readonly items: Uint8Array;
}

/** Asks for entries: whole subtrees, and single ones by path hash. */
export interface WantMessage {
  readonly type: "want";
  readonly prefixes: readonly (readonly number[])[];
  /** n × 16 bytes. */
  readonly hashes: Uint8Array;
}

/** Everything that answers one `children`, `summary` or `want` has been sent. */
export interface ComparedMessage {
  readonly type: "compared";
}

/** One entry on the wire. */
export interface Announcement {
  readonly path: RelativePath;
  readonly entry: Entry;
  /** True if the sender has the content on its disk. */
  readonly held: boolean;
  /** The content itself, if it is small and fresh. Not verified yet. */
  readonly inline: Uint8Array | undefined;
}

/** Known entries, as answer or as news. */
export interface EntriesMessage {
  readonly type: "entries";
  readonly entries: readonly Announcement[];
}

/** The large contents that this side fetches now and the other one lacks as well: whoever fetches the same shares the work. */
export interface FetchingMessage {
  readonly type: "fetching";
  readonly contentIds: readonly ContentHash[];
}

/** Chunks that this side has got of a content that the other one said it fetches. */
export interface HaveMessage {
  readonly type: "have";
  readonly contentId: ContentHash;
  /** Their places in the manifest, from 0. */
  readonly chunks: readonly number[];
}

/** Asks for a part of the manifest of a file of several chunks. On data channels, like all that follows. */
export interface FetchManifestMessage {
  readonly type: "fetch-manifest";
  readonly id: number;
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  /** Chunks that the asker knows: the part begins behind them. */
  readonly from: number;
}

/**
 * Answer: the encoded manifest from there on, at most MANIFEST_PART_CHUNKS_MAX chunks of it; with less than those, that
 * was its end. `undefined` if it is not to be had here any more.
 */
export interface ManifestMessage {
  readonly type: "manifest";
  readonly id: number;
  readonly manifest: Uint8Array | undefined;
}

/** One chunk wanted. */
export interface FetchItem {
  /** A hint where the content is; the sender may know better. */
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  /** Bytes from the start of that content. */
  readonly offset: number;
  readonly length: number;
  readonly hash: ContentHash;
}

/** Asks for chunks; each is answered by one `chunk`, in order. */
export interface FetchMessage {
  readonly type: "fetch";
  readonly id: number;
  readonly items: readonly FetchItem[];
}

/** One chunk, verified by the sender and to be verified by the receiver. `gone`: not to be had here any more. */
export interface ChunkMessage {
  readonly type: "chunk";
  readonly id: number;
  /** Which item of the request. */
  readonly index: number;
  readonly encoding: "raw" | "lz4" | "gone";
  /** Bytes after decompression. */
  readonly length: number;
  readonly payload: Uint8Array;
}

export type Message =
  | HelloMessage
  | WantChannelsMessage
  | PingMessage
  | PongMessage
  | StandMessage
  | ChildrenMessage
  | SummaryMessage
  | WantMessage
  | ComparedMessage
  | EntriesMessage
  | FetchingMessage
  | HaveMessage
  | FetchManifestMessage
  | ManifestMessage
  | FetchMessage
  | ChunkMessage;

export const FRAME_HEADER_BYTES = 5;
const CHUNK_HEADER_BYTES = 11;

const TYPE_CODES = {
  hello: 1,
  "want-channels": 2,
  ping: 3,
  pong: 4,
  stand: 5,
  children: 6,
  summary: 7,
  want: 8,
  compared: 9,
  entries: 10,
  "fetch-manifest": 11,
  manifest: 12,
  fetch: 13,
  chunk: 14,
  fetching: 15,
  have: 16,
} as const satisfies Record<Message["type"], number>;

const TYPES_BY_CODE = new Map<number, Message["type"]>(
  Object.entries(TYPE_CODES).map(([type, code]) => [code, type as Message["type"]]),
);

const CHUNK_ENCODINGS = ["raw", "lz4", "gone"] as const;

const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true });

/** The frame of `message`, as pieces to be written one after the other. A chunk's payload is not copied. */
export function encodeMessage(message: Message): readonly Uint8Array[] {
  if (message.type === "chunk") {
    const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES + CHUNK_HEADER_BYTES);
    head[0] = TYPE_CODES.chunk;
    head.writeUInt32BE(CHUNK_HEADER_BYTES + message.payload.length, 1);
    head.writeUInt32BE(message.id, 5);
    head.writeUInt16BE(message.index, 9);
    head[11] = CHUNK_ENCODINGS.indexOf(message.encoding);
    head.writeUInt32BE(message.length, 12);
    return [head, message.payload];
  }
  const payload = packr.pack(encodeBody(message));
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  head[0] = TYPE_CODES[message.type];
  head.writeUInt32BE(payload.length, 1);
  return [head, payload];
}

/** The memory of a chunk's payload, if nothing else is in it: it may move to another thread. */
export function ownBufferOf(payload: Uint8Array): ArrayBuffer | undefined {
  const { buffer, byteOffset, byteLength } = payload;
  // A frame that spans records is put together in memory of its own, which begins with the chunk's header. Within a
  // record's memory a frame's payload begins later: there, its own header comes first.
  const isOwn = byteOffset === CHUNK_HEADER_BYTES && buffer.byteLength === byteOffset + byteLength;
  return isOwn && buffer instanceof ArrayBuffer ? buffer : undefined;
}

/** Reads a frame's header. Throws if the type is unknown or the length above its limit. */
export function parseFrameHeader(header: Uint8Array): { readonly type: Message["type"]; readonly length: number } {
  const view = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES);
  const type = TYPES_BY_CODE.get(view.getUint8(0));
  if (type === undefined) throw protocolError(`unknown message type ${view.getUint8(0)}`);
  const length = view.getUint32(1);
  const lengthMax = type === "chunk" ? CHUNK_HEADER_BYTES + CHUNK_SIZE_BYTES_MAX : MESSAGE_BYTES_MAX;
  if (length > lengthMax) throw protocolError(`a ${type} message of ${length} bytes`);
  return { type, length };
}

/** Checks a frame's payload field by field. The message may refer to the bytes of `payload`. */
export function parseMessage(type: Message["type"], payload: Uint8Array): Message {
  if (type === "chunk") return parseChunk(payload);
  let body: unknown;
  try {
    body = packr.unpack(payload);
  } catch (error) {
    throw protocolError(`a ${type} message that is not MessagePack: ${String(error)}`);
  }
  return parseBody(type, new Fields(type, body));
}

function encodeBody(message: Exclude<Message, ChunkMessage>): unknown[] {
  switch (message.type) {
    case "hello":
      return [message.purpose, message.share, message.name, idBytes(message.replicaId), message.dataChannelsMax];
    case "want-channels":
      return [message.count];
    case "ping":
    case "pong":
    case "compared":
      return [];
    case "stand":
      return [message.root, message.pendingFiles, message.pendingBytes];
    case "children":
      return [message.prefix, message.fingerprints];
    case "summary":
      return [message.prefix, message.items];
    case "want":
      return [message.prefixes, message.hashes];
    case "entries":
      return [message.entries.map((item) => [item.path, encodeEntry(item.entry), item.held, item.inline ?? null])];
    case "fetching":
      return [message.contentIds.map(idBytes)];
    case "have":
      return [idBytes(message.contentId), message.chunks];
    case "fetch-manifest":
      return [message.id, message.path, idBytes(message.contentId), message.from];
    case "manifest":
      return [message.id, message.manifest ?? null];
    case "fetch":
      return [
        message.id,
        message.items.map((item) => [
          item.path,
          idBytes(item.contentId),
          item.offset,
          item.length,
          // The content ID of a single chunk is its hash: said once.
          item.hash === item.contentId ? null : idBytes(item.hash),
        ]),
      ];
  }
}

function parseBody(type: Exclude<Message["type"], "chunk">, fields: Fields): Message {
  switch (type) {
    case "hello": {
      const purpose = fields.text(16);
      if (purpose !== "control" && purpose !== "data") throw protocolError("a hello with an unknown purpose");
      return fields.end({
        type,
        purpose,
        share: fields.text(NAME_BYTES_MAX),
        name: fields.text(NAME_BYTES_MAX),
        replicaId: replicaIdFromBytes(fields.bytesOfLength(8)),
        dataChannelsMax: fields.integer(DATA_CHANNELS_MAX),
      });
    }
    case "want-channels":
      return fields.end({ type, count: fields.integer(DATA_CHANNELS_MAX) });
    case "ping":
    case "pong":
    case "compared":
      return fields.end({ type });
    case "stand":
      return fields.end({
        type,
        root: fields.bytesOfLength(FINGERPRINT_BYTES),
        pendingFiles: fields.integer(Number.MAX_SAFE_INTEGER),
        pendingBytes: fields.integer(Number.MAX_SAFE_INTEGER),
      });
    case "children":
      return fields.end({
        type,
        prefix: parsePrefix(fields.list(1)),
        fingerprints: fields.bytesOfLength(CHILDREN_PER_NODE * FINGERPRINT_BYTES),
      });
    case "summary": {
      const [first, second, ...rest] = parsePrefix(fields.list(2));
      if (first === undefined || second === undefined || rest.length > 0) throw protocolError("a summary of no bucket");
      return fields.end({
        type,
        prefix: [first, second],
        items: fields.bytesInUnitsOf(2 * FINGERPRINT_BYTES, BUCKET_ENTRIES_MAX),
      });
    }
    case "want":
      return fields.end({
        type,
        prefixes: fields.list(CHILDREN_PER_NODE).map((prefix) => {
          if (!Array.isArray(prefix) || prefix.length > 2) throw protocolError("a want with a wrong prefix");
          return parsePrefix(prefix);
        }),
        hashes: fields.bytesInUnitsOf(FINGERPRINT_BYTES, BUCKET_ENTRIES_MAX),
      });
    case "entries":
      return fields.end({ type, entries: fields.list(ENTRIES_PER_MESSAGE_MAX).map(parseAnnouncement) });
    case "fetching":
      return fields.end({ type, contentIds: fields.list(FETCHING_CONTENTS_MAX).map(contentHash) });
    case "have":
      return fields.end({ type, contentId: fields.hash(), chunks: fields.list(HAVE_CHUNKS_MAX).map(chunkNumber) });
    case "fetch-manifest":
      return fields.end({
        type,
        id: fields.u32(),
        path: fields.path(),
        contentId: fields.hash(),
        from: fields.integer(MANIFEST_CHUNKS_MAX),
      });
    case "manifest":
      return fields.end({ type, id: fields.u32(), manifest: fields.optionalBytes(MANIFEST_PART_BYTES_MAX) });
    case "fetch": {
      const id = fields.u32();
      const items = fields.list(FETCH_ITEMS_MAX).map(parseFetchItem);
      const bytes = items.reduce((sum, item) => sum + item.length, 0);
      if (bytes > FETCH_BYTES_MAX) throw protocolError(`a fetch of ${bytes} bytes`);
      return fields.end({ type, id, items });
    }
  }
}

function parseAnnouncement(item: unknown): Announcement {
  const fields = new Fields("entries", item);
  const path = fields.path();
  const entry = parseEntry(fields.value());
  if (entry === undefined) throw protocolError("an entry that is not well formed");
  // It says nothing, so nothing bounds how often and of what it is said.
  if (entry.seen.length === 0) throw protocolError("an entry that has seen nothing");
  return fields.end({ path, entry, held: fields.boolean(), inline: fields.optionalBytes(INLINE_CONTENT_BYTES_MAX) });
}

function parseFetchItem(item: unknown): FetchItem {
  const fields = new Fields("fetch", item);
  const path = fields.path();
  const contentId = fields.hash();
  const offset = fields.integer(FILE_SIZE_BYTES_MAX);
  const length = fields.integer(CHUNK_SIZE_BYTES_MAX);
  const hash = fields.optionalBytes(32);
  return fields.end({ path, contentId, offset, length, hash: hash === undefined ? contentId : contentHash(hash) });
}

function parseChunk(payload: Uint8Array): ChunkMessage {
  if (payload.length < CHUNK_HEADER_BYTES) throw protocolError("a chunk without its header");
  const view = new DataView(payload.buffer, payload.byteOffset, CHUNK_HEADER_BYTES);
  const encoding = CHUNK_ENCODINGS[view.getUint8(6)];
  if (encoding === undefined) throw protocolError("a chunk with an unknown encoding");
  const length = view.getUint32(7);
  if (length > CHUNK_SIZE_BYTES_MAX) throw protocolError(`a chunk of ${length} bytes`);
  const body = payload.subarray(CHUNK_HEADER_BYTES);
  if (encoding === "raw" && body.length !== length) throw protocolError("a chunk of another length than it says");
  if (encoding === "gone" && body.length !== 0) throw protocolError("a missing chunk with content");
  return { type: "chunk", id: view.getUint32(0), index: view.getUint16(4), encoding, length, payload: body };
}

function parsePrefix(items: readonly unknown[]): number[] {
  return items.map((item) => {
    if (typeof item !== "number" || !Number.isInteger(item) || item < 0 || item > 255) {
      throw protocolError("a Merkle prefix that is not of bytes");
    }
    return item;
  });
}

function chunkNumber(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw protocolError("a chunk's number that is none");
  }
  return value;
}

function contentHash(bytes: unknown): ContentHash {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 32) throw protocolError("a content hash of a wrong length");
  return contentHashFromBytes(bytes);
}
