// Whether a path is spelled as its directory spells it. On file systems that do not tell cases apart, a file answers to
// many names; taking each for a file of its own would make two of one, and deleting one would delete the other.

import { DSYNC_DIRECTORY } from "../core/path.ts";
import type { FileSystem } from "./file-system.ts";

/** Remembers directories for the length of one job. */
export class ExactNames {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #names = new Map<string, ReadonlySet<string>>();
  #isCaseBlind: boolean | undefined;

  /** `root`: absolute disk path of the folder. */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** False if something answers at `diskPath`, but under another name. Unicode forms are not told apart. */
  isExact(diskPath: string): boolean {
    if (diskPath === "" || !this.#caseBlind()) return true;
    const slash = diskPath.lastIndexOf("/");
    const directory = slash === -1 ? "" : diskPath.slice(0, slash);
    const name = diskPath.slice(slash + 1).normalize("NFC");
    if (!this.isExact(directory)) return false;
    if (this.#namesIn(directory).has(name)) return true;
    // It may have been made since.
    this.#names.delete(directory);
    return this.#namesIn(directory).has(name);
  }

  /** Asked of the folder's own file system, by way of a name that is always there. */
  #caseBlind(): boolean {
    // Inodes would not tell: FUSE may give each name one of its own.
    const upper = DSYNC_DIRECTORY.toUpperCase();
    this.#isCaseBlind ??= this.#fs.lstat(`${this.#root}/${upper}`) !== undefined && !this.#namesIn("").has(upper);
    return this.#isCaseBlind;
  }

  #namesIn(directory: string): ReadonlySet<string> {
    let names = this.#names.get(directory);
    if (names === undefined) {
      const items = this.#fs.readDirectory(directory === "" ? this.#root : `${this.#root}/${directory}`);
      names = new Set(items.map(({ name }) => name.normalize("NFC")));
      this.#names.set(directory, names);
    }
    return names;
  }
}
