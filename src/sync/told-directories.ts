// Directories are told before what is in them: whoever heard of a file alone, and nothing more for a while, would have to
// make its directory anew, and could undo by that what has become of it (docs/decisions/0022-directories-are-told-first.md).

import { TOLD_DIRECTORIES_MAX } from "../core/limits.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import type { IndexStore } from "../index/index-store.ts";

/** What one peer was told of the directories here. */
export class ToldDirectories {
  readonly #store: Pick<IndexStore, "get">;
  readonly #told = new Set<RelativePath>();

  constructor(store: Pick<IndexStore, "get">) {
    this.#store = store;
  }

  /** True if the peer knows this directory as it is now. */
  has(path: RelativePath): boolean {
    return this.#told.has(path);
  }

  /** What is known of the path is about to be others', and is told anew. */
  forget(path: RelativePath): void {
    this.#told.delete(path);
  }

  forgetAll(): void {
    this.#told.clear();
  }

  /**
   * What the peer has to be told for this record: the directories that it is in and that the peer was not told of, the
   * outermost first, then itself. They count as told.
   */
  takeFor(record: PathRecord): readonly PathRecord[] {
    const { live } = record.known;
    if (live === undefined) return [record];
    const records = [record];
    for (let path = parentOf(record.path); path !== undefined && !this.#told.has(path); path = parentOf(path)) {
      const directory = this.#store.get(path);
      if (directory?.known.live?.content.kind === "directory") records.push(directory);
    }
    if (this.#told.size > TOLD_DIRECTORIES_MAX) this.#told.clear();
    for (const { path, known } of records) if (known.live?.content.kind === "directory") this.#told.add(path);
    return records.toReversed();
  }
}
