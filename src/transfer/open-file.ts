// One file of the folder that is read in pieces. It stays open: the next piece is mostly in it as well.

import type { FileSystem } from "../edge/file-system.ts";
import { absolutePath } from "./disk-layout.ts";

export class OpenFile {
  readonly #fs: FileSystem;
  /** Absolute disk path of the folder. */
  readonly #root: string;
  #open: { readonly diskPath: string; readonly descriptor: number } | undefined;

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /**
   * A descriptor, valid until the next call; `undefined` if the file is not there or cannot be opened. `mayOpen` is asked
   * before another file than the last one is opened.
   */
  open(diskPath: string, mayOpen: () => boolean = () => true): number | undefined {
    if (diskPath === this.#open?.diskPath) return this.#open.descriptor;
    this.close();
    try {
      if (!mayOpen()) return undefined;
      this.#open = { diskPath, descriptor: this.#fs.openForReading(absolutePath(this.#root, diskPath)) };
    } catch {
      return undefined;
    }
    return this.#open.descriptor;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#fs.close(open.descriptor);
  }
}
