// The asking side of one data channel: requests in flight, and the answers that belong to them.

import { protocolError } from "../core/errors.ts";
import type { ContentHash } from "../core/ids.ts";
import { FETCHES_PER_CHANNEL_MAX } from "../core/limits.ts";
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

export class FetchClient {
  readonly channel: Channel;
  readonly #fetches = new Map<number, OpenFetch>();
  readonly #manifests = new Map<number, (manifest: Uint8Array | undefined | "lost") => void>();
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
      this.#manifests.set(id, resolve);
      this.channel.send({ type: "fetch-manifest", id, path, contentId });
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
    const resolve = this.#manifests.get(message.id);
    if (resolve === undefined) throw protocolError("a manifest that was not asked for");
    this.#manifests.delete(message.id);
    resolve(message.manifest);
  }

  #end(): void {
    this.#ended = true;
    for (const open of this.#fetches.values()) open.resolve("lost");
    for (const resolve of this.#manifests.values()) resolve("lost");
    this.#fetches.clear();
    this.#manifests.clear();
  }
}
