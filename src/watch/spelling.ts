// Paths in the index are NFC; a disk may spell them otherwise (macOS likes NFD). The disk's spelling is kept for disk access.
//
// Invariants:
// 1. Only names whose disk spelling is not the path's own are remembered.
// 2. `fromDisk(toDisk(path)) === path`.

import { SPELLINGS_MAX } from "../core/limits.ts";
import { joinPath, parentOf, parsePath, type RelativePath } from "../core/path.ts";
import type { IndexStore } from "../index/index-store.ts";

const META_NAME = "spelling";

/** How the names below one folder are spelt on its disk. */
export class Spelling {
  readonly #store: Pick<IndexStore, "getMeta" | "putMeta">;
  /** Path → its last component's disk spelling. */
  readonly #names: Map<RelativePath, string>;
  #isDirty = false;

  /** Takes up what an earlier `save` stored. */
  constructor(store: Pick<IndexStore, "getMeta" | "putMeta">) {
    this.#store = store;
    this.#names = parseNames(store.getMeta(META_NAME));
  }

  /** The path on the disk, relative to the folder. */
  toDisk(path: RelativePath): string {
    if (this.#names.size === 0) return path;
    let disk = "";
    let end = 0;
    while (end < path.length) {
      const slash = path.indexOf("/", end + 1);
      const start = end;
      end = slash === -1 ? path.length : slash;
      const spelt = this.#names.get(path.slice(0, end) as RelativePath);
      disk += spelt === undefined ? path.slice(start, end) : `${start === 0 ? "" : "/"}${spelt}`;
    }
    return disk;
  }

  /** The path that a disk path stands for; `undefined` if it cannot be one (not Unicode, too long). */
  fromDisk(diskPath: string): RelativePath | undefined {
    return parsePath(isAscii(diskPath) ? diskPath : normalized(diskPath));
  }

  /** The path of a child, as {@link fromDisk}. */
  childFromDisk(directory: RelativePath | undefined, diskName: string): RelativePath | undefined {
    const path = joinPath(directory, isAscii(diskName) ? diskName : normalized(diskName));
    // Most names need no closer look: one component of plain characters, far from the longest path.
    return isAscii(diskName) && path.length < 1024 ? path : parsePath(path);
  }

  /** Remembers that the last component of `path` is spelt `diskName`. False if there is no room for more. */
  note(path: RelativePath, diskName: string): boolean {
    const own = path.slice((parentOf(path)?.length ?? -1) + 1);
    if (own === diskName) {
      this.#isDirty = this.#names.delete(path) || this.#isDirty;
    } else if (this.#names.get(path) !== diskName) {
      if (this.#names.size >= SPELLINGS_MAX && !this.#names.has(path)) return false;
      this.#names.set(path, diskName);
      this.#isDirty = true;
    }
    return true;
  }

  /** Forgets a path that is gone. */
  forget(path: RelativePath): void {
    this.#isDirty = this.#names.delete(path) || this.#isDirty;
  }

  /** Stores what changed since the last time. */
  save(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#store.putMeta(META_NAME, Buffer.from(JSON.stringify([...this.#names])));
  }
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- every ASCII character but NUL
  return /^[\u0001-\u007f]*$/.test(text);
}

/** NFC, unless it is no Unicode: then as it is, for `parsePath` to refuse. */
function normalized(text: string): string {
  return text.isWellFormed() ? text.normalize("NFC") : text;
}

/** Reads what `save` wrote; anything else counts as nothing, and the next scan notes it again. */
function parseNames(value: Uint8Array | undefined): Map<RelativePath, string> {
  const names = new Map<RelativePath, string>();
  if (value === undefined) return names;
  let rows: unknown;
  try {
    rows = JSON.parse(Buffer.from(value).toString("utf8"));
  } catch {
    return names;
  }
  for (const row of Array.isArray(rows) ? (rows as readonly unknown[]) : []) {
    const [path, name] = Array.isArray(row) ? (row as readonly unknown[]) : [];
    const parsed = parsePath(path);
    if (parsed !== undefined && typeof name === "string" && name !== "" && !/[/\0]/.test(name)) names.set(parsed, name);
  }
  return names;
}
