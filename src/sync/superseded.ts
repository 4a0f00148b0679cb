// Versions that a local change replaced or deleted. Somebody who had not heard of that change may have made a conflict
// copy of such a version, whose content is nowhere any more: the copy is withdrawn, since it lost to someone who saw it.
// Pure; kept in memory only.

import { SUPERSEDED_VERSIONS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { parseConflictPath } from "../index/conflict-path.ts";
import type { PathEntry, Version } from "../index/entry.ts";
import { conflictEntry, sameLive } from "../index/merge.ts";

interface Replaced {
  readonly path: RelativePath;
  readonly version: Version;
}

export class Superseded {
  /** By the path that their copies are named after, oldest first. */
  readonly #replaced = new Map<RelativePath, readonly Replaced[]>();
  #count = 0;

  /** A local change at `path` was made on top of `version`. */
  note(path: RelativePath, version: Version): void {
    const key = originalOf(path);
    const others = this.#replaced.get(key) ?? [];
    this.#replaced.delete(key);
    this.#replaced.set(key, [...others, { path, version }]);
    this.#count++;
    while (this.#count > SUPERSEDED_VERSIONS_MAX) this.#forgetOldest();
  }

  /** The tombstone of a copy that is live, if it is one of a version that was replaced here. */
  withdrawalOf(copy: PathEntry): PathEntry | undefined {
    for (const { path, version } of this.#replaced.get(originalOf(copy.path)) ?? []) {
      const withdrawal = withdrawalOf(path, version, copy);
      if (withdrawal !== undefined) return withdrawal;
    }
    return undefined;
  }

  #forgetOldest(): void {
    const [oldest] = this.#replaced;
    if (oldest === undefined) return;
    this.#replaced.delete(oldest[0]);
    this.#count -= oldest[1].length;
  }
}

/** It has seen exactly the copy, so whatever else is or comes to its path stays. */
function withdrawalOf(path: RelativePath, version: Version, copy: PathEntry): PathEntry | undefined {
  const made = conflictEntry(path, version);
  if (made.path !== copy.path || !sameLive(made.entry, copy.entry)) return undefined;
  return { path: copy.path, entry: { seen: made.entry.seen, live: undefined } };
}

function originalOf(path: RelativePath): RelativePath {
  return parseConflictPath(path)?.original ?? path;
}
