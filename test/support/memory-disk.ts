// A disk in memory: inodes, names, rights and quirks, as a POSIX kernel has them. Synchronous, and no clock of its own.
// What programs see of it is memory-file-system.ts.

import { systemError } from "./system-error.ts";

/** How this disk differs from a well-behaved one. */
export interface DiskQuirks {
  /** Two names that differ in case alone are one. */
  readonly ignoresCase: boolean;
  /** Names are stored decomposed, and found under either form. */
  readonly decomposesNames: boolean;
  /** `link` fails with EPERM. */
  readonly hasNoLinks: boolean;
  /** All times are kept as multiples of this. */
  readonly timeStepNs: bigint;
  /** The times of what happens now are multiples of this: the kernel's clock ticks. */
  readonly tickNs: bigint;
  /** The number of a removed file is given to the next new one. */
  readonly reusesInodes: boolean;
}

export const PLAIN_DISK: DiskQuirks = {
  ignoresCase: false,
  decomposesNames: false,
  hasNoLinks: false,
  timeStepNs: 1n,
  tickNs: 1n,
  reusesInodes: false,
};

interface NodeBase {
  readonly inode: bigint;
  mode: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
  readonly birthNs: bigint;
  links: number;
}

export interface FileNode extends NodeBase {
  readonly kind: "file";
  /** Replaced, never changed in place. */
  bytes: Uint8Array;
  /** When it was last written without having been flushed since; `undefined`: all of it is on the medium. */
  unflushedSinceNs: bigint | undefined;
}

export interface DirectoryNode extends NodeBase {
  readonly kind: "directory";
  readonly children: Map<string, Child>;
}

export interface LinkNode extends NodeBase {
  readonly kind: "symlink";
  readonly target: string;
}

export type DiskNode = FileNode | DirectoryNode | LinkNode;

interface Child {
  readonly name: string;
  node: DiskNode;
}

/** A name in a directory that exists. */
export interface Place {
  readonly parent: DirectoryNode;
  readonly name: string;
  readonly node: DiskNode | undefined;
  /** Absolute, with every symlink of its parents resolved. */
  readonly realPath: string;
}

/** What happened to a name, as a kernel's file events tell it. */
export type DiskChange = "created" | "changed" | "removed";

const OWNER_WRITE = 0o200;
const SYMLINKS_MAX = 40;
const NAME_BYTES_MAX = 255;

export class MemoryDisk {
  readonly quirks: DiskQuirks;
  readonly device = 7n;
  /** Bytes that files may take all together. */
  capacityBytes = Infinity;
  /** Every change fails with EROFS. */
  isReadOnly = false;
  /** Called after each change, with a path that has no symlinks in its parents. */
  onChange: (change: DiskChange, realPath: string) => void = () => {};
  readonly #nowNs: () => bigint;
  readonly #root: DirectoryNode;
  readonly #freeInodes: bigint[] = [];
  #nextInode = 2n;
  #usedBytes = 0;

  constructor(nowNs: () => bigint, quirks: Partial<DiskQuirks> = {}) {
    this.#nowNs = nowNs;
    this.quirks = { ...PLAIN_DISK, ...quirks };
    this.#root = { kind: "directory", children: new Map(), ...this.#newBase(0o755) };
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.#usedBytes);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Where `path` is; follows symlinks in its parents. Throws ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG. */
  resolve(path: string, budget = SYMLINKS_MAX): Place {
    let parent = this.#root;
    let realPath = "";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [index, name] of parts.entries()) {
      if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw systemError("ENAMETOOLONG", path);
      const node = parent.children.get(this.#keyOf(name))?.node;
      const isLast = index === parts.length - 1;
      if (isLast) return { parent, name, node, realPath: `${realPath}/${name}` };
      if (node?.kind === "symlink") {
        if (budget === 0) throw systemError("ELOOP", path);
        const start = node.target.startsWith("/") ? node.target : `${realPath}/${node.target}`;
        return this.resolve(simplify(`${start}/${parts.slice(index + 1).join("/")}`), budget - 1);
      }
      if (node === undefined) throw systemError("ENOENT", path);
      if (node.kind !== "directory") throw systemError("ENOTDIR", path);
      parent = node;
      realPath = `${realPath}/${name}`;
    }
    return { parent, name: "", node: this.#root, realPath: "/" };
  }

  createFile(place: Place, mode: number): FileNode {
    return this.#add(place, {
      kind: "file",
      bytes: new Uint8Array(0),
      unflushedSinceNs: undefined,
      ...this.#newBase(mode),
    });
  }

  createDirectory(place: Place, mode: number): DirectoryNode {
    return this.#add(place, { kind: "directory", children: new Map(), ...this.#newBase(mode) });
  }

  createSymlink(place: Place, target: string): LinkNode {
    return this.#add(place, { kind: "symlink", target, ...this.#newBase(0o777) });
  }

  link(node: DiskNode, place: Place): void {
    if (this.quirks.hasNoLinks) throw systemError("EPERM", place.realPath);
    this.#put(place, node);
    node.links++;
    node.ctimeNs = this.#stamp();
  }

  /** Replaces what is at `to`, unless the two are names of one file: then nothing happens (POSIX). */
  rename(from: Place, to: Place): void {
    const { node } = from;
    if (node === undefined) throw systemError("ENOENT", from.realPath);
    const isSameName = from.parent === to.parent && this.#keyOf(from.name) === this.#keyOf(to.name);
    if (to.node === node && !isSameName) return;
    this.#checkWritable(from);
    this.#checkWritable(to);
    if (to.node !== undefined && !isSameName) this.#checkReplaceable(node, to);
    if (node.kind === "directory" && `${to.realPath}/`.startsWith(`${from.realPath}/`) && !isSameName) {
      throw systemError("EINVAL", to.realPath);
    }
    if (to.node !== undefined && !isSameName) this.#forget(to.node);
    from.parent.children.delete(this.#keyOf(from.name));
    to.parent.children.set(this.#keyOf(to.name), { name: this.#stored(to.name), node });
    node.ctimeNs = this.#stamp();
    this.#touchParent(from.parent);
    this.#touchParent(to.parent);
    this.onChange("removed", from.realPath);
    this.onChange("created", to.realPath);
  }

  remove(place: Place): void {
    const { node } = place;
    if (node === undefined) throw systemError("ENOENT", place.realPath);
    this.#checkWritable(place);
    if (node.kind === "directory" && node.children.size > 0) throw systemError("ENOTEMPTY", place.realPath);
    place.parent.children.delete(this.#keyOf(place.name));
    this.#forget(node);
    this.#touchParent(place.parent);
    this.onChange("removed", place.realPath);
  }

  /** Gives a file other bytes; it keeps its name, number and mode. */
  setBytes(node: FileNode, bytes: Uint8Array, realPath: string): void {
    this.#checkChangeable(realPath);
    const growth = bytes.length - node.bytes.length;
    if (growth > this.freeBytes) throw systemError("ENOSPC", realPath);
    this.#usedBytes += growth;
    node.bytes = bytes;
    node.mtimeNs = this.#stamp();
    node.ctimeNs = node.mtimeNs;
    node.unflushedSinceNs ??= this.#nowNs();
    this.onChange("changed", realPath);
  }

  /** The power goes: each file that was not flushed and is younger than `ageNs` may hold something else now. */
  losePower(ageNs: bigint, damage: (bytes: Uint8Array) => Uint8Array): void {
    const nowNs = this.#nowNs();
    for (const file of filesBelow(this.#root)) {
      if (file.unflushedSinceNs !== undefined && nowNs - file.unflushedSinceNs < ageNs) {
        const bytes = damage(file.bytes);
        this.#usedBytes += bytes.length - file.bytes.length;
        file.bytes = bytes;
      }
      file.unflushedSinceNs = undefined;
    }
  }

  setMode(node: DiskNode, mode: number, realPath: string): void {
    this.#checkChangeable(realPath);
    node.mode = mode;
    node.ctimeNs = this.#stamp();
    this.onChange("changed", realPath);
  }

  setTime(node: DiskNode, mtimeNs: bigint, realPath: string): void {
    this.#checkChangeable(realPath);
    node.mtimeNs = this.#round(mtimeNs);
    node.ctimeNs = this.#stamp();
    this.onChange("changed", realPath);
  }

  #checkChangeable(realPath: string): void {
    if (this.isReadOnly) throw systemError("EROFS", realPath);
  }

  /** Names are their directory's: who may not write it changes none of them. */
  #checkWritable({ parent, realPath }: Place): void {
    this.#checkChangeable(realPath);
    if ((parent.mode & OWNER_WRITE) === 0) throw systemError("EACCES", realPath);
  }

  #checkReplaceable(node: DiskNode, to: Place): void {
    if (to.node?.kind !== "directory") {
      if (node.kind === "directory") throw systemError("ENOTDIR", to.realPath);
    } else if (node.kind !== "directory") throw systemError("EISDIR", to.realPath);
    else if (to.node.children.size > 0) throw systemError("ENOTEMPTY", to.realPath);
  }

  #add<Added extends DiskNode>(place: Place, node: Added): Added {
    this.#put(place, node);
    return node;
  }

  #put(place: Place, node: DiskNode): void {
    if (place.node !== undefined) throw systemError("EEXIST", place.realPath);
    this.#checkWritable(place);
    place.parent.children.set(this.#keyOf(place.name), { name: this.#stored(place.name), node });
    this.#touchParent(place.parent);
    this.onChange("created", place.realPath);
  }

  #forget(node: DiskNode): void {
    node.links--;
    node.ctimeNs = this.#stamp();
    if (node.links > 0) return;
    if (node.kind === "file") this.#usedBytes -= node.bytes.length;
    if (this.quirks.reusesInodes) this.#freeInodes.push(node.inode);
  }

  #newBase(mode: number): NodeBase {
    const now = this.#stamp();
    const inode = this.#freeInodes.pop() ?? this.#nextInode++;
    return { inode, mode, mtimeNs: now, ctimeNs: now, birthNs: now, links: 1 };
  }

  #touchParent(parent: DirectoryNode): void {
    parent.mtimeNs = this.#stamp();
    parent.ctimeNs = parent.mtimeNs;
  }

  #stamp(): bigint {
    // Ticks are counted from when the machine was switched on, so their times are no round numbers.
    const offsetNs = this.quirks.tickNs / 3n;
    return this.#round(floorTo(this.#nowNs() - offsetNs, this.quirks.tickNs) + offsetNs);
  }

  #round(timeNs: bigint): bigint {
    return floorTo(timeNs, this.quirks.timeStepNs);
  }

  #stored(name: string): string {
    return this.quirks.decomposesNames ? name.normalize("NFD") : name;
  }

  #keyOf(name: string): string {
    const stored = this.quirks.decomposesNames ? name.normalize("NFC") : name;
    return this.quirks.ignoresCase ? stored.toLowerCase() : stored;
  }
}

function* filesBelow(directory: DirectoryNode): Iterable<FileNode> {
  for (const { node } of directory.children.values()) {
    if (node.kind === "file") yield node;
    else if (node.kind === "directory") yield* filesBelow(node);
  }
}

function floorTo(timeNs: bigint, stepNs: bigint): bigint {
  return timeNs - (((timeNs % stepNs) + stepNs) % stepNs);
}

/** Takes `.` and `..` out of an absolute path, as if nothing in it were a symlink. */
function simplify(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
