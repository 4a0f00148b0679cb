// Keeps operations inside the folder: no path is used unless every parent is a real directory (P6), and that very one:
// where cases are not told apart, another directory may answer to its name.

import { ExactNames } from "../edge/exact-names.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath } from "./disk-layout.ts";

/** Remembers, for the length of one job, which directories have been checked. */
export class ParentGuard {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #names: ExactNames;
  readonly #checked = new Set<string>([""]);

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
    this.#names = new ExactNames(fs, root);
  }

  /** True if everything above `diskPath` is a directory of that name, and no symlink. */
  hold(diskPath: string): boolean {
    const slash = diskPath.lastIndexOf("/");
    return this.#isDirectory(slash === -1 ? "" : diskPath.slice(0, slash));
  }

  /** A directory was removed. */
  forget(diskPath: string): void {
    this.#checked.delete(diskPath);
  }

  #isDirectory(directory: string): boolean {
    if (this.#checked.has(directory)) return true;
    if (!this.hold(directory)) return false;
    if (this.#fs.lstat(absolutePath(this.#root, directory))?.kind !== "directory") return false;
    if (!this.#names.isExact(directory)) return false;
    this.#checked.add(directory);
    return true;
  }
}
