// Where the content of a pending file comes from: it came with its announcement, it is fetched for another path already, or
// it is asked of peers. Invariant: one content is fetched for one path at a time; until it is in its place, staging is that
// path's.

import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import type { FileSource } from "./apply-operation.ts";
import type { FetchQueue } from "./fetch-queue.ts";
import { InlineContent, type InlineFile } from "./inline-content.ts";
import type { LookFirst } from "./look-first.ts";

export interface ContentSupplyOptions {
  readonly queue: Pick<FetchQueue, "has" | "cancel" | "addSmall" | "addLarge">;
  readonly lookFirst: Pick<LookFirst, "allows" | "forget">;
  /** True while an operation on that path is under way. */
  readonly isBusy: (path: RelativePath) => boolean;
  /** What was fetched for this path is wanted there no longer. */
  readonly onCancelled: (path: RelativePath) => void;
}

/** `after`: another path has to get it first. `undefined`: it was asked for, or the path is due again when it may be. */
export type Supply = FileSource | { readonly kind: "after"; readonly path: RelativePath } | undefined;

export class ContentSupply {
  readonly #options: ContentSupplyOptions;
  readonly #inline = new InlineContent();
  /** Content → the path that it is fetched for. */
  readonly #fetchedFor = new Map<ContentHash, RelativePath>();

  constructor(options: ContentSupplyOptions) {
    this.#options = options;
  }

  /** Keeps what came with an announcement. Not verified. */
  put(inline: InlineFile): void {
    this.#inline.put(inline);
  }

  /** Where the record's path gets this content. What was asked for before and is not wanted any more is cancelled. */
  obtain(record: PathRecord, { contentId, size }: { readonly contentId: ContentHash; readonly size: number }): Supply {
    const { queue, lookFirst } = this.#options;
    const { path } = record;
    const inline = this.#inline.take(contentId);
    // What was asked for before is not wanted any more, or is here.
    if (inline !== undefined || queue.has(path) !== contentId) this.cancel(path);
    if (inline !== undefined || size === 0) {
      return { kind: "bytes", encoding: "raw", payload: inline ?? new Uint8Array(0) };
    }
    const fetchedFor = this.#fetchedFor.get(contentId);
    if (fetchedFor !== undefined && fetchedFor !== path && this.#isArriving(fetchedFor, contentId)) {
      return { kind: "after", path: fetchedFor };
    }
    if (queue.has(path) === contentId || !lookFirst.allows(record, size)) return undefined;
    this.#fetchedFor.set(contentId, path);
    if (size <= CHUNK_SIZE_BYTES_MIN) queue.addSmall({ path, contentId, size });
    else queue.addLarge({ path, contentId, size });
    return undefined;
  }

  /** The path needs no content from elsewhere. */
  forget(path: RelativePath): void {
    this.cancel(path);
    this.#options.lookFirst.forget(path);
  }

  /** What is asked for is not wanted at this path any more. */
  cancel(path: RelativePath): void {
    const { queue, onCancelled } = this.#options;
    const contentId = queue.has(path);
    if (contentId === undefined) return;
    queue.cancel(path);
    this.noteArrived(path, contentId);
    onCancelled(path);
  }

  /** The content is fetched for this path no longer. */
  noteArrived(path: RelativePath, contentId: ContentHash): void {
    if (this.#fetchedFor.get(contentId) === path) this.#fetchedFor.delete(contentId);
  }

  /** True if the content that is fetched for this path is not in its place yet. */
  #isArriving(path: RelativePath, contentId: ContentHash): boolean {
    return this.#options.queue.has(path) === contentId || this.#options.isBusy(path);
  }
}
