// Messages to bytes and back. docs/protocol.md says the same in prose.
//
// A frame is [type: u8][length: u32 big-endian][payload]. Frames follow one another in the plaintext stream of a channel
// and may span records. Payloads are MessagePack arrays, but for `chunk`, which is raw. Every field is checked on arrival;
// whatever fails a check throws a DsyncError `protocol`, which closes the session.

import { Packr } from "msgpackr";
import { protocolError } from "../core/errors.ts";
import { contentHashFromBytes, idBytes, replicaIdFromBytes, type ContentHash } from "../core/ids.ts";
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
  NAME_BYTES_MAX,
} from "../core/limits.ts";
import { encodeEntry, parseEntry } from "../index/entry-codec.ts";
import { CHILDREN_PER_NODE, FINGERPRINT_BYTES } from "../index/merkle.ts";
import { Fields } from "./fields.ts";
import { FRAME_HEADER_BYTES, writeFrameHeader } from "./frame-header.ts";
import { CHUNK_HEADER_BYTES, type Announcement, type ChunkMessage, type FetchItem, type Message } from "./messages.ts";

const CHUNK_ENCODINGS = ["raw", "lz4", "gone"] as const;

const packr = new Packr({ useRecords: false, variableMapSize: true, mapsAsObjects: true });

/** The frame of `message`, as pieces to be written one after the other. A chunk's payload is not copied. */
export function encodeMessage(message: Message): readonly Uint8Array[] {
  if (message.type === "chunk") {
    const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES + CHUNK_HEADER_BYTES);
    writeFrameHeader(head, "chunk", CHUNK_HEADER_BYTES + message.payload.length);
    head.writeUInt32BE(message.id, 5);
    head.writeUInt16BE(message.index, 9);
    head[11] = CHUNK_ENCODINGS.indexOf(message.encoding);
    head.writeUInt32BE(message.length, 12);
    return [head, message.payload];
  }
  const payload = packr.pack(encodeBody(message));
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  writeFrameHeader(head, message.type, payload.length);
  return [head, payload];
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
