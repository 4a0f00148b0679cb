// The asking side of one data channel: requests in flight, and the answers that belong to them.

import { protocolError } from "../core/errors.ts";
import type { ContentHash } from "../core/ids.ts";
import {
  FETCHES_PER_CHANNEL_MAX,
  MANIFEST_CHUNKS_MAX,
  MANIFEST_PART_BYTES_MAX,
  MANIFEST_PART_CHUNKS_MAX,
} from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Channel } from "../pool/channel.ts";
import type { ChunkMessage, FetchItem, ManifestMessage } from "../pool/messages.ts";

/** One answer per item, in order; `lost`: the channel ended first. */
export type FetchAnswer = readonly ChunkMessage[] | "lost";

interface OpenFetch {
  readonly items: readonly FetchItem[];
  readonly chunks: ChunkMessage[];
  readonly resolve: (answer: FetchAnswer) => void;
}

interface OpenManifest {
  readonly id: number;
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  readonly parts: Uint8Array[];
  readonly resolve: (manifest: Uint8Array | undefined | "lost") => void;
}

export class FetchClient {
  readonly channel: Channel;
  readonly #fetches = new Map<number, OpenFetch>();
  readonly #manifests = new Map<number, OpenManifest>();
  #nextId = 1;
  #ended = false;
  #bytes = 0;

  constructor(channel: Channel) {
    this.channel = channel;
    void channel.ended.then(() => this.#end());
  }

  /** True if one more request is allowed. */
  get isFree(): boolean {
    return !this.#ended && this.#fetches.size + this.#manifests.size < FETCHES_PER_CHANNEL_MAX;
  }

  /** Bytes asked for and not answered yet. */
  get bytesOutstanding(): number {
    return this.#bytes;
  }

  /** `items`: within FETCH_ITEMS_MAX and FETCH_BYTES_MAX. Never rejects. */
  fetch(items: readonly FetchItem[]): Promise<FetchAnswer> {
    if (this.#ended) return Promise.resolve("lost");
    const id = this.#nextId++;
    for (const item of items) this.#bytes += item.length;
    return new Promise((resolve) => {
      this.#fetches.set(id, { items, chunks: [], resolve });
      this.channel.send({ type: "fetch", id, items });
    });
  }

  /** The manifest, not verified; `undefined`: the peer does not have it; `lost`: the channel ended. Never rejects. */
  fetchManifest(path: RelativePath, contentId: ContentHash): Promise<Uint8Array | undefined | "lost"> {
    if (this.#ended) return Promise.resolve("lost");
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const open = { id, path, contentId, parts: [], resolve };
      this.#manifests.set(id, open);
      this.#askForPart(open);
    });
  }

  receiveChunk(message: ChunkMessage): void {
    const open = this.#fetches.get(message.id);
    const item = open?.items[open.chunks.length];
    if (open === undefined || item === undefined || message.index !== open.chunks.length) {
      throw protocolError("a chunk that was not asked for");
    }
    if (message.encoding !== "gone" && message.length !== item.length) {
      throw protocolError("a chunk of another length than asked for");
    }
    this.#bytes -= item.length;
    open.chunks.push(message);
    if (open.chunks.length < open.items.length) return;
    this.#fetches.delete(message.id);
    open.resolve(open.chunks);
  }

  receiveManifest(message: ManifestMessage): void {
    const open = this.#manifests.get(message.id);
    if (open === undefined) throw protocolError("a manifest that was not asked for");
    const part = message.manifest;
    if (part !== undefined) open.parts.push(part);
    // It stays open meanwhile, so that its place among the requests of the channel is nobody else's.
    if (part?.length === MANIFEST_PART_BYTES_MAX) return this.#askForPart(open);
    this.#manifests.delete(message.id);
    open.resolve(part === undefined ? undefined : Buffer.concat(open.parts));
  }

  #askForPart({ id, path, contentId, parts }: OpenManifest): void {
    const from = parts.length * MANIFEST_PART_CHUNKS_MAX;
    if (from > MANIFEST_CHUNKS_MAX) throw protocolError("a manifest of more chunks than allowed");
    this.channel.send({ type: "fetch-manifest", id, path, contentId, from });
  }

  #end(): void {
    this.#ended = true;
    for (const open of this.#fetches.values()) open.resolve("lost");
    for (const open of this.#manifests.values()) open.resolve("lost");
    this.#fetches.clear();
    this.#manifests.clear();
  }
}
