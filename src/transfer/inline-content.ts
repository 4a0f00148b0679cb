// Small contents that came with their announcement and wait to be put in place. Not verified: `apply` does that.

import type { ContentHash } from "../core/ids.ts";

/** More than this waits only when the disk is slower than the network; then it is fetched again later. */
const INLINE_WAITING_BYTES_MAX = 8 * 1024 * 1024;

/** A small file's content, as it came with its announcement. */
export interface InlineFile {
  readonly contentId: ContentHash;
  readonly bytes: Uint8Array;
}

export class InlineContent {
  readonly #contents = new Map<ContentHash, Uint8Array>();
  #bytes = 0;

  put({ contentId, bytes }: InlineFile): void {
    if (this.#contents.has(contentId) || this.#bytes + bytes.length > INLINE_WAITING_BYTES_MAX) return;
    this.#contents.set(contentId, bytes);
    this.#bytes += bytes.length;
  }

  /** Hands the content out, once. */
  take(contentId: ContentHash): Uint8Array | undefined {
    const bytes = this.#contents.get(contentId);
    if (bytes === undefined) return undefined;
    this.#contents.delete(contentId);
    this.#bytes -= bytes.length;
    return bytes;
  }
}
