// Where chunks are on this disk, as far as the index says. What is read there is verified by whoever reads it.

import type { ContentHash } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { StageSource } from "./stage-job.ts";

export class LocalChunks {
  readonly #store: Pick<IndexStore, "chunkLocation" | "locationsOf">;
  readonly #toDisk: (path: RelativePath) => string;
  /** Chunks that are looked up one after the other are mostly in one content: where that is, if it is anywhere. */
  #last: { readonly contentId: ContentHash; readonly diskPath: string | undefined } | undefined;

  constructor(store: Pick<IndexStore, "chunkLocation" | "locationsOf">, toDisk: (path: RelativePath) => string) {
    this.#store = store;
    this.#toDisk = toDisk;
  }

  find(chunk: ContentHash): Extract<StageSource, { kind: "local" }> | undefined {
    const found = this.#store.chunkLocation(chunk);
    if (found === undefined) return undefined;
    const diskPath = this.#pathOf(found.contentId);
    return diskPath === undefined ? undefined : { kind: "local", diskPath, offset: found.offset };
  }

  #pathOf(contentId: ContentHash): string | undefined {
    if (this.#last?.contentId !== contentId) this.#last = { contentId, diskPath: this.#lookUp(contentId) };
    return this.#last.diskPath;
  }

  #lookUp(contentId: ContentHash): string | undefined {
    for (const location of this.#store.locationsOf(contentId)) {
      return location.kind === "trash" ? location.diskPath : this.#toDisk(location.path);
    }
    return undefined;
  }
}
