// Puts what is about to be replaced or removed into one batch of the trash, without a moment in which it is nowhere.
//
// A batch is a tree, so it has room for one content of a path, and for a file or a directory of one name. What does not
// fit goes to the next serial of the batch: `<time>-1`, `<time>-2`, … Later contents have greater serials.

import { errnoOf } from "../core/errors.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { lacksHardLinks } from "../edge/hard-links.ts";
import { isAcross } from "./across.ts";
import { absolutePath, TRASH_DIRECTORY } from "./disk-layout.ts";
import { flushPath } from "./flush-job.ts";

const PRIVATE_MODE = 0o700;
/** Contents that one path may have within the seconds of a batch. */
const SERIALS_MAX = 1000;

export class TrashBatch {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #batch: string | undefined;
  readonly #directories = new Set<string>();

  /** `batch`: a batch's name without a serial, below `.dsync/trash/`; `undefined`: nothing is kept. */
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
        if (!lacksHardLinks(error) && !isAcross(error)) throw error;
        // No hard links here: the price is a copy.
        if (this.#fs.lstat(from)?.kind === "symlink") this.#fs.symlink(this.#fs.readLink(from), to);
        else {
          this.#fs.copyFile(from, to);
          // What it is a copy of may be on the medium since long, and is replaced in a moment.
          flushPath(this.#fs, to);
        }
      }
    });
  }

  /** Takes back what `keep` returned. */
  discard(kept: string | undefined): void {
    if (kept !== undefined) this.#fs.unlink(absolutePath(this.#root, kept));
  }

  #put(diskPath: string, put: (from: string, to: string) => void): string | undefined {
    if (this.#batch === undefined) return undefined;
    for (let serial = 0; ; serial++) {
      const batch = serial === 0 ? this.#batch : `${this.#batch}-${serial}`;
      const place = `${TRASH_DIRECTORY}/${batch}/${diskPath}`;
      try {
        this.#makeParents(place);
        put(absolutePath(this.#root, diskPath), absolutePath(this.#root, place));
        return place;
      } catch (error) {
        // The name is taken, or a file is where a directory would have to be.
        const taken = ["EEXIST", "ENOTDIR", "EISDIR"].includes(errnoOf(error) ?? "");
        if (!taken || serial === SERIALS_MAX) throw error;
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
