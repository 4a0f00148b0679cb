// Watches what dsync itself does to a disk, call by call: nothing outside the folder, nothing half-written under its real
// name, and no content taken out of the tree that is not in the trash.

import type { FileSystem } from "../../src/edge/file-system.ts";
import type { DiskNode, FileNode, MemoryDisk } from "../support/memory-disk.ts";

export interface TreeGuardOptions {
  readonly disk: MemoryDisk;
  readonly root: string;
  readonly name: string;
  readonly onViolation: (what: string) => void;
}

export class TreeGuard {
  /** Changes of the disk so far. */
  changes = 0;
  readonly #options: TreeGuardOptions;
  /** The path that the call under way takes something away from, and what is there. */
  #taken: { readonly path: string; node: DiskNode | undefined } | undefined;

  constructor(options: TreeGuardOptions) {
    this.#options = options;
  }

  /** To be called right before a call changes the disk, after all that may strike before it. */
  noteCall(): void {
    if (this.#taken !== undefined) this.#taken.node = this.#nodeAt(this.#taken.path);
  }

  /** The same file system, with every change checked. */
  watch(fs: FileSystem): FileSystem {
    return {
      ...fs,
      createFile: (path, mode) => this.#inPrivate("creates a file", path, () => fs.createFile(path, mode)),
      openForWriting: (path) => this.#inPrivate("writes", path, () => fs.openForWriting(path)),
      copyFile: (from, to) => this.#inPrivate("copies", to, () => fs.copyFile(from, to)),
      rename: (from, to) => this.#keeping(to, () => this.#inside("renames", to, () => fs.rename(from, to))),
      unlink: (path) => this.#keeping(path, () => this.#inside("unlinks", path, () => fs.unlink(path))),
      link: (from, to) => this.#inside("links", to, () => fs.link(from, to)),
      symlink: (target, path) => this.#inside("makes a symlink", path, () => fs.symlink(target, path)),
      makeDirectory: (path, mode) => this.#inside("makes a directory", path, () => fs.makeDirectory(path, mode)),
      removeDirectory: (path) => this.#inside("removes a directory", path, () => fs.removeDirectory(path)),
      setMode: (path, mode) => this.#inside("sets the mode", path, () => fs.setMode(path, mode)),
      setTimes: (path, mtimeUs) => this.#inside("sets times", path, () => fs.setTimes(path, mtimeUs)),
    };
  }

  #inside<T>(what: string, path: string, action: () => T): T {
    const { root, name, onViolation } = this.#options;
    const result = action();
    this.changes++;
    const realPath = this.#realPath(path);
    if (realPath !== undefined && !realPath.startsWith(`${root}/`)) onViolation(`${name} ${what} outside: ${realPath}`);
    return result;
  }

  #inPrivate<T>(what: string, path: string, action: () => T): T {
    const { root, name, onViolation } = this.#options;
    const result = this.#inside(what, path, action);
    if (!path.startsWith(`${root}/.dsync/`)) onViolation(`${name} ${what} under a real name: ${path}`);
    return result;
  }

  /** What `path` names may go only if it has another name, or its like is in the trash. */
  #keeping(path: string, action: () => void): void {
    const { root, name, onViolation } = this.#options;
    const taken: { path: string; node: DiskNode | undefined } = { path, node: undefined };
    this.#taken = taken;
    try {
      action();
    } finally {
      this.#taken = undefined;
    }
    const { node } = taken;
    if (node?.kind !== "file" || path.startsWith(`${root}/.dsync/`) || node.links > 0 || this.#isInTrash(node)) return;
    onViolation(`${name} takes a content away for good: ${path}`);
  }

  #isInTrash(file: FileNode): boolean {
    const trash = this.#nodeAt(`${this.#options.root}/.dsync/trash`);
    return trash !== undefined && holds(trash, file.bytes);
  }

  #nodeAt(path: string): DiskNode | undefined {
    try {
      return this.#options.disk.resolve(path).node;
    } catch {
      return undefined;
    }
  }

  #realPath(path: string): string | undefined {
    try {
      return this.#options.disk.resolve(path).realPath;
    } catch {
      return undefined;
    }
  }
}

function holds(node: DiskNode, bytes: Uint8Array): boolean {
  if (node.kind === "file") return Buffer.compare(node.bytes, bytes) === 0;
  if (node.kind === "symlink") return false;
  return [...node.children.values()].some((child) => holds(child.node, bytes));
}
