// The answering side: finds the content that peers ask for on this disk, and sends it, verified.

import { encodeManifest, partOf } from "../content/manifest.ts";
import { messageOf, protocolError } from "../core/errors.ts";
import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MAX, FETCHES_PER_CHANNEL_MAX, READ_JOB_BYTES } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { Channel } from "../pool/channel.ts";
import type { FetchItem, FetchManifestMessage, FetchMessage } from "../pool/messages.ts";
import { STAGING_DIRECTORY } from "./disk-layout.ts";
import type { ReadItem, ReadResult } from "./read-job.ts";

export interface ContentServerOptions {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly toDisk: (path: RelativePath) => string;
  /** True if that chunk of a content that is still being fetched is verified in staging. */
  readonly isStaged: (contentId: ContentHash, chunk: ContentHash) => boolean;
  /** The disk no longer holds what the index says. */
  readonly onStale: (path: RelativePath) => void;
}

/** Less is not worth keeping. */
const KEPT_BYTES_MIN = 256 * 1024;
/** Pieces of memory kept for the next reads: as many as one busy peer keeps on their way. */
const MEMORY_KEPT_MAX = 4;

type Question = FetchMessage | FetchManifestMessage;

/** One question on its way to being answered. */
interface Answer {
  /** Begins to read what it needs. May be called again. */
  prepare(): void;
  send(): Promise<void>;
}

export class ContentServer {
  readonly #options: ContentServerOptions;
  /** To read into, of READ_JOB_BYTES each. The system takes longer to give new memory than a read takes to fill it. */
  readonly #memory: Uint8Array<ArrayBuffer>[] = [];
  /** Channels with questions. */
  #answering = 0;

  constructor(options: ContentServerOptions) {
    this.#options = options;
  }

  /**
   * Returns the function that takes this channel's questions. They are answered one after the other; what the next one
   * needs is read from the disk meanwhile.
   */
  serve(channel: Channel): (question: Question) => void {
    const waiting: Answer[] = [];
    let isAnswering = false;
    // Nobody is left to answer.
    void channel.ended.then(() => waiting.splice(0));
    const answerAll = async (): Promise<void> => {
      isAnswering = true;
      this.#answering++;
      try {
        for (let answer = waiting[0]; answer !== undefined; answer = waiting[0]) {
          answer.prepare();
          waiting[1]?.prepare();
          await answer.send();
          waiting.shift();
        }
      } catch (error) {
        // The job was lost, or dsync is stopping: whoever waits for the answer asks somebody else.
        channel.close("overload", messageOf(error));
        waiting.splice(0);
      }
      isAnswering = false;
      // Nothing is kept when it is quiet.
      if (--this.#answering === 0) this.#memory.length = 0;
    };
    return (question) => {
      // The first one may be answered already, and only wait for room on the line.
      if (waiting.length > FETCHES_PER_CHANNEL_MAX) throw protocolError("more requests at once than allowed");
      waiting.push(
        question.type === "fetch" ? this.#fetchAnswer(channel, question) : this.#manifestAnswer(channel, question),
      );
      if (!isAnswering) void answerAll();
    };
  }

  #manifestAnswer(channel: Channel, question: FetchManifestMessage): Answer {
    return {
      prepare: () => {},
      send: () => {
        const manifest = this.#manifestOf(question);
        channel.send({ type: "manifest", id: question.id, manifest: manifest && partOf(manifest, question.from) });
        return channel.writable();
      },
    };
  }

  /** The index keeps no manifests of contents that are one chunk: those follow from the entry. */
  #manifestOf({ path, contentId }: FetchManifestMessage): Uint8Array | undefined {
    const stored = this.#options.store.manifest(contentId);
    if (stored !== undefined) return stored;
    const size = this.#sizeOf(contentId, path);
    if (size === undefined || size > CHUNK_SIZE_BYTES_MAX) return undefined;
    return encodeManifest([{ hash: contentId, length: size }]);
  }

  /** Of a content that is here: at this path, or elsewhere. */
  #sizeOf(contentId: ContentHash, path: RelativePath): number | undefined {
    const { store } = this.#options;
    const sizeAt = (place: RelativePath): number | undefined => {
      const content = store.get(place)?.present.live?.content;
      return content?.kind === "file" && content.contentId === contentId ? content.size : undefined;
    };
    const size = sizeAt(path);
    if (size !== undefined) return size;
    for (const location of store.locationsOf(contentId)) if (location.kind === "tree") return sizeAt(location.path);
    return undefined;
  }

  /** Reads one piece of the request while the piece before it is being sent. */
  #fetchAnswer(channel: Channel, request: FetchMessage): Answer {
    const pieces = splitByBytes(request.items, READ_JOB_BYTES);
    let next: Promise<ReadResult> | undefined;
    let index = 0;
    const read = (piece: number): Promise<ReadResult> => {
      const result = this.#read(pieces[piece] ?? []);
      // Nobody may be left to wait for it.
      result.catch(() => {});
      return result;
    };
    const prepare = (): void => {
      next ??= read(0);
    };
    const send = async (): Promise<void> => {
      prepare();
      for (let piece = 0; piece < pieces.length; piece++) {
        const result = await next;
        if (result === undefined) return;
        next = read(piece + 1);
        for (const [position, item] of (pieces[piece] ?? []).entries()) {
          this.#sendChunk(channel, { id: request.id, index: index++, item, position, result });
        }
        await channel.writable();
        this.#giveBack(result.buffer);
      }
    };
    return { prepare, send };
  }

  #sendChunk(
    channel: Channel,
    chunk: { id: number; index: number; item: FetchItem; position: number; result: ReadResult },
  ): void {
    const { id, index, item, position, result } = chunk;
    const outcome = result.outcomes[position];
    if (outcome === undefined || outcome.encoding === "gone") {
      this.#options.onStale(item.path);
      channel.send({ type: "chunk", id, index, encoding: "gone", length: 0, payload: new Uint8Array(0) });
      return;
    }
    const payload = result.buffer.subarray(outcome.start, outcome.end);
    channel.send({ type: "chunk", id, index, encoding: outcome.encoding, length: item.length, payload });
  }

  async #read(items: readonly FetchItem[]): Promise<ReadResult> {
    if (items.length === 0) return { buffer: new Uint8Array(0), outcomes: [] };
    const { jobs, root } = this.#options;
    const memory = this.#takeMemory(items.reduce((sum, item) => sum + item.length, 0));
    const request = { root, items: items.map((item) => this.#locate(item)), memory };
    return jobs.run("read", request, { transfer: [memory.buffer] });
  }

  #takeMemory(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < KEPT_BYTES_MIN) return new Uint8Array(bytes);
    return this.#memory.pop() ?? new Uint8Array(READ_JOB_BYTES);
  }

  #giveBack(memory: Uint8Array<ArrayBuffer>): void {
    const isWhole = memory.length === READ_JOB_BYTES;
    if (isWhole && this.#answering > 0 && this.#memory.length < MEMORY_KEPT_MAX) this.#memory.push(memory);
  }

  #locate(item: FetchItem): ReadItem {
    const { length, hash, offset } = item;
    return { diskPath: this.#diskPathOf(item), offset, length, hash };
  }

  /** Where the content should be: at the path that was asked for, elsewhere, or (in part) in staging. */
  #diskPathOf(item: FetchItem): string {
    const { store, toDisk, isStaged } = this.#options;
    const present = store.get(item.path)?.present.live?.content;
    if (present?.kind === "file" && present.contentId === item.contentId) return toDisk(item.path);
    for (const location of store.locationsOf(item.contentId)) {
      return location.kind === "trash" ? location.diskPath : toDisk(location.path);
    }
    if (isStaged(item.contentId, item.hash)) return `${STAGING_DIRECTORY}/${item.contentId}`;
    return toDisk(item.path);
  }
}

/** Cuts a list into runs of at most `bytesMax` (or one item). */
export function splitByBytes<Item extends { readonly length: number }>(
  items: readonly Item[],
  bytesMax: number,
): Item[][] {
  const runs: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const run = runs.at(-1);
    if (run === undefined || bytes + item.length > bytesMax) {
      runs.push([item]);
      bytes = item.length;
    } else {
      run.push(item);
      bytes += item.length;
    }
  }
  return runs;
}
