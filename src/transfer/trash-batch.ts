// Puts what is about to be replaced or removed into one batch of the trash, without a moment in which it is nowhere.

import { errnoOf } from "../core/errors.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath, TRASH_DIRECTORY } from "./disk-layout.ts";

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

  /** Moves the file or symlink into the trash, or removes it if no trash is kept. Returns where it is now. */
  take(diskPath: string): string | undefined {
    const from = absolutePath(this.#root, diskPath);
    if (this.#batch === undefined) {
      this.#fs.unlink(from);
      return undefined;
    }
    const kept = this.keep(diskPath);
    this.#fs.unlink(from);
    return kept;
  }

  #put(diskPath: string, put: (from: string, to: string) => void): string | undefined {
    if (this.#batch === undefined) return undefined;
    const wanted = `${TRASH_DIRECTORY}/${this.#batch}/${diskPath}`;
    for (let alternative = 0; ; alternative++) {
      const place = alternative === 0 ? wanted : `${wanted}~${alternative}`;
      try {
        this.#makeParents(place);
        put(absolutePath(this.#root, diskPath), absolutePath(this.#root, place));
        return place;
      } catch (error) {
        const taken = ["EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "");
        if (!taken || alternative === ALTERNATIVES_MAX) throw error;
      }
    }
  }

  #makeParents(place: string): void {
    const directory = place.slice(0, place.lastIndexOf("/"));
    if (this.#directories.has(directory) || directory === TRASH_DIRECTORY) return;
    this.#makeParents(directory);
    try {
      this.#fs.makeDirectory(absolutePath(this.#root, directory), PRIVATE_MODE);
    } catch (error) {
      const there =
        errnoOf(error) === "EEXIST" && this.#fs.lstat(absolutePath(this.#root, directory))?.kind === "directory";
      if (!there) throw error;
    }
    this.#directories.add(directory);
  }
}
