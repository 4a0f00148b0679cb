// Which live paths are conflict copies: found once in the index, then kept up to date.

import type { RelativePath } from "../core/path.ts";
import type { ConflictReport } from "../core/reports.ts";
import { CONFLICT_MARK, parseConflictPath } from "../index/conflict-path.ts";
import type { PathRecord } from "../index/entry.ts";
import type { IndexStore } from "../index/index-store.ts";

export class ConflictList {
  readonly #store: IndexStore;
  #paths: Set<RelativePath> | undefined;

  constructor(store: IndexStore) {
    this.#store = store;
  }

  /** A record changed. */
  note(record: PathRecord): void {
    if (this.#paths === undefined) return;
    if (isConflictCopy(record)) this.#paths.add(record.path);
    else this.#paths.delete(record.path);
  }

  /** How many there are. Reads the whole index the first time. */
  async count(): Promise<number> {
    return (await this.#all()).size;
  }

  async list(): Promise<readonly ConflictReport[]> {
    const reports: ConflictReport[] = [];
    for (const path of await this.#all()) {
      const name = parseConflictPath(path);
      const live = this.#store.get(path)?.known.live;
      if (name === undefined || live === undefined) continue;
      const size = live.content.kind === "file" ? live.content.size : 0;
      reports.push({ path, original: name.original, author: name.author, time: isoTime(name.stampText), size });
    }
    return reports.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  async #all(): Promise<ReadonlySet<RelativePath>> {
    if (this.#paths !== undefined) return this.#paths;
    const paths = new Set<RelativePath>();
    for (let first = 0; first < 256; first++) {
      for (const path of this.#store.pathsIn([first])) {
        const record = isConflictPath(path) ? this.#store.get(path) : undefined;
        if (record?.known.live !== undefined) paths.add(path);
      }
      // One 256th at a time, so that a large index does not hold up everything else.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#paths = paths;
    return paths;
  }
}

function isConflictCopy({ path, known }: PathRecord): boolean {
  return known.live !== undefined && isConflictPath(path);
}

function isConflictPath(path: RelativePath): boolean {
  return path.includes(CONFLICT_MARK) && parseConflictPath(path) !== undefined;
}

/** `yyyymmdd-hhmmss` as ISO 8601, UTC. */
function isoTime(stampText: string): string {
  return stampText.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, "$1-$2-$3T$4:$5:$6Z");
}
