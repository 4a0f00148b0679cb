// The whole wire above the record layer: every message, in the order of a conversation. docs/protocol.md says the same in
// prose; message-codec.ts has the bytes.

import type { ContentHash, ReplicaId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { Entry } from "../index/entry.ts";

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

/** What a chunk's payload begins with on the wire: `[id: u32][index: u16][encoding: u8][length: u32]`, big-endian. */
export const CHUNK_HEADER_BYTES = 11;

/** The memory of a chunk's payload, if nothing else is in it: it may move to another thread. */
export function ownBufferOf(payload: Uint8Array): ArrayBuffer | undefined {
  const { buffer, byteOffset, byteLength } = payload;
  // A frame that spans records is put together in memory of its own, which begins with the chunk's header. Within a
  // record's memory a frame's payload begins later: there, its own header comes first.
  const isOwn = byteOffset === CHUNK_HEADER_BYTES && buffer.byteLength === byteOffset + byteLength;
  return isOwn && buffer instanceof ArrayBuffer ? buffer : undefined;
}
