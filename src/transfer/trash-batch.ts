// Puts what is about to be replaced or removed into one batch of the trash, without a moment in which it is nowhere.

import { errnoOf } from "../core/errors.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath, TRASH_DIRECTORY } from "./disk-layout.ts";
import { parseTrashBatchName, trashBatchName } from "./trash.ts";

const PRIVATE_MODE = 0o700;
/** Names tried beside one that is taken in the same batch. */
const ALTERNATIVES_MAX = 1000;

export class TrashBatch {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #batch: string | undefined;
  readonly #directories = new Set<string>();

  /** `batch`: the directory's name below `.dsync/trash/`; `undefined`: nothing is kept. */
  constructor(fs: FileSystem, root: string, batch: string | undefined) {
    this.#fs = fs;
    this.#root = root;
    this.#batch = batch;
  }

  /**
   * Gives the file or symlink a second name in the trash; it stays where it is.
   * Returns where, relative to the folder, or `undefined` if no trash is kept.
   */
  keep(diskPath: string): string | undefined {
    return this.#put(diskPath, (from, to) => {
      try {
        this.#fs.link(from, to);
      } catch (error) {
        if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"].includes(errnoOf(error) ?? ""))
          throw error;
        // No hard links here: the price is a copy.
        if (this.#fs.lstat(from)?.kind === "symlink") this.#fs.symlink(this.#fs.readLink(from), to);
        else this.#fs.copyFile(from, to);
      }
    });
  }

  /** Takes back what `keep` returned. */
  discard(kept: string | undefined): void {
    if (kept !== undefined) this.#fs.unlink(absolutePath(this.#root, kept));
  }

  #put(diskPath: string, put: (from: string, to: string) => void): string | undefined {
    if (this.#batch === undefined) return undefined;
    let batch = this.#batch;
    for (let attempt = 0, alternative = 0; ; attempt++) {
      const wanted = `${TRASH_DIRECTORY}/${batch}/${diskPath}`;
      const place = alternative === 0 ? wanted : `${wanted}~${alternative}`;
      if (!this.#makeParents(place)) {
        // What is a directory now was a file earlier in this batch: the path goes into one of its own.
        batch = nextBatch(batch);
        alternative = 0;
        if (attempt < ALTERNATIVES_MAX) continue;
      }
      try {
        put(absolutePath(this.#root, diskPath), absolutePath(this.#root, place));
        return place;
      } catch (error) {
        const taken = ["EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "");
        if (!taken || attempt >= ALTERNATIVES_MAX) throw error;
        alternative++;
      }
    }
  }

  /** False if a file is where a directory has to be. */
  #makeParents(place: string): boolean {
    const directory = place.slice(0, place.lastIndexOf("/"));
    if (this.#directories.has(directory) || directory === TRASH_DIRECTORY) return true;
    if (!this.#makeParents(directory)) return false;
    try {
      this.#fs.makeDirectory(absolutePath(this.#root, directory), PRIVATE_MODE);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      if (this.#fs.lstat(absolutePath(this.#root, directory))?.kind !== "directory") return false;
    }
    this.#directories.add(directory);
    return true;
  }
}

function nextBatch(batch: string): string {
  const parsed = parseTrashBatchName(batch);
  return parsed === undefined ? `${batch}-1` : trashBatchName(parsed.timeMs, parsed.serial + 1);
}
