// The FileSystem interface over a disk in memory: descriptors, rights and errors as programs get them.

import type { FileSystem, Stat } from "../../src/edge/file-system.ts";
import type { DiskNode, FileNode, MemoryDisk, Place } from "./memory-disk.ts";
import { systemError } from "./system-error.ts";

/** Called before each call: may throw in its place, or change the disk first. */
export type BeforeCall = (call: keyof FileSystem, path: string) => void;

interface OpenFile {
  readonly node: FileNode;
  readonly path: string;
  readonly isWritable: boolean;
}

const OWNER_READ = 0o400;
const OWNER_WRITE = 0o200;
const NS_PER_US = 1000n;

/** One program's view of `disk`; its descriptors are its own. */
export function createMemoryFileSystem(disk: MemoryDisk, beforeCall: BeforeCall = () => {}): FileSystem {
  const open = new Map<number, OpenFile>();
  let nextDescriptor = 3;

  function at(call: keyof FileSystem, path: string): Place {
    beforeCall(call, path);
    return disk.resolve(path);
  }

  function openPlace(place: Place, isWritable: boolean): number {
    const { realPath, node } = place;
    if (node === undefined) throw systemError("ENOENT", realPath);
    if (node.kind === "symlink") throw systemError("ELOOP", realPath);
    if (node.kind === "directory") throw systemError("EISDIR", realPath);
    if ((node.mode & OWNER_READ) === 0) throw systemError("EACCES", realPath);
    if (isWritable && (node.mode & OWNER_WRITE) === 0) throw systemError("EACCES", realPath);
    return openNode({ node, path: realPath, isWritable });
  }

  function openNode(file: OpenFile): number {
    open.set(nextDescriptor, file);
    return nextDescriptor++;
  }

  function fileOf(call: keyof FileSystem, descriptor: number): OpenFile {
    const file = open.get(descriptor);
    beforeCall(call, file?.path ?? "");
    if (file === undefined) throw systemError("EBADF", String(descriptor));
    return file;
  }

  function setBytes({ node, path }: OpenFile, size: number, change: (bytes: Uint8Array) => void): void {
    const bytes = new Uint8Array(size);
    bytes.set(node.bytes.subarray(0, size));
    change(bytes);
    disk.setBytes(node, bytes, path);
  }

  function existing(place: Place): DiskNode {
    if (place.node === undefined) throw systemError("ENOENT", place.realPath);
    return place.node;
  }

  return {
    lstat(path) {
      beforeCall("lstat", path);
      const node = nodeIfAny(disk, path);
      return node === undefined ? undefined : statOf(disk, node);
    },
    readDirectory(path) {
      const node = existing(at("readDirectory", path));
      if (node.kind !== "directory") throw systemError("ENOTDIR", path);
      if ((node.mode & OWNER_READ) === 0) throw systemError("EACCES", path);
      return [...node.children.values()].map((child) => ({ name: child.name, kind: child.node.kind }));
    },
    readLink(path) {
      const node = existing(at("readLink", path));
      if (node.kind !== "symlink") throw systemError("EINVAL", path);
      return node.target;
    },
    openForReading: (path) => openPlace(at("openForReading", path), false),
    openForWriting: (path) => openPlace(at("openForWriting", path), true),
    createFile(path, mode) {
      const place = at("createFile", path);
      return openNode({ node: disk.createFile(place, mode), path: place.realPath, isWritable: true });
    },
    fstat: (descriptor) => statOf(disk, fileOf("fstat", descriptor).node),
    read(descriptor, target, position) {
      const { node } = fileOf("read", descriptor);
      const piece = node.bytes.subarray(position, position + target.length);
      target.set(piece);
      return piece.length;
    },
    write(descriptor, source, position) {
      const file = fileOf("write", descriptor);
      if (!file.isWritable) throw systemError("EBADF", file.path);
      const size = Math.max(file.node.bytes.length, position + source.length);
      setBytes(file, size, (bytes) => bytes.set(source, position));
    },
    truncate(descriptor, size) {
      const file = fileOf("truncate", descriptor);
      setBytes(file, size, () => {});
    },
    setModeOf(descriptor, mode) {
      const { node, path } = fileOf("setModeOf", descriptor);
      disk.setMode(node, mode, path);
    },
    setTimesOf(descriptor, mtimeUs) {
      const { node, path } = fileOf("setTimesOf", descriptor);
      disk.setTime(node, BigInt(mtimeUs) * NS_PER_US, path);
    },
    sync(descriptor) {
      fileOf("sync", descriptor).node.unflushedSinceNs = undefined;
    },
    close(descriptor) {
      fileOf("close", descriptor);
      open.delete(descriptor);
    },
    setMode(path, mode) {
      const place = at("setMode", path);
      const node = existing(place);
      if (node.kind === "symlink") throw systemError("ELOOP", path);
      disk.setMode(node, mode, place.realPath);
    },
    setTimes(path, mtimeUs) {
      const place = at("setTimes", path);
      disk.setTime(existing(place), BigInt(mtimeUs) * NS_PER_US, place.realPath);
    },
    rename(from, to) {
      const source = at("rename", from);
      disk.rename(source, disk.resolve(to));
    },
    link(from, to) {
      const node = existing(at("link", from));
      if (node.kind === "directory") throw systemError("EPERM", from);
      disk.link(node, disk.resolve(to));
    },
    symlink: (target, path) => void disk.createSymlink(at("symlink", path), target),
    unlink(path) {
      const place = at("unlink", path);
      if (existing(place).kind === "directory") throw systemError("EISDIR", path);
      disk.remove(place);
    },
    makeDirectory: (path, mode) => void disk.createDirectory(at("makeDirectory", path), mode),
    removeDirectory(path) {
      const place = at("removeDirectory", path);
      if (existing(place).kind !== "directory") throw systemError("ENOTDIR", path);
      disk.remove(place);
    },
    copyFile(from, to) {
      const node = existing(at("copyFile", from));
      if (node.kind === "symlink") throw systemError("ELOOP", from);
      if (node.kind === "directory") throw systemError("EISDIR", from);
      if ((node.mode & OWNER_READ) === 0) throw systemError("EACCES", from);
      const place = disk.resolve(to);
      const copy = disk.createFile(place, node.mode);
      disk.setBytes(copy, node.bytes, place.realPath);
    },
    freeBytes(path) {
      beforeCall("freeBytes", path);
      return Number.isFinite(disk.freeBytes) ? disk.freeBytes : Number.MAX_SAFE_INTEGER;
    },
  };
}

function nodeIfAny(disk: MemoryDisk, path: string): DiskNode | undefined {
  try {
    return disk.resolve(path).node;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      return undefined;
    }
    throw error;
  }
}

function statOf(disk: MemoryDisk, node: DiskNode): Stat {
  return {
    kind: node.kind,
    size: sizeOf(node),
    mode: node.mode,
    mtimeNs: node.mtimeNs,
    ctimeNs: node.ctimeNs,
    birthNs: node.birthNs,
    inode: node.inode,
    device: disk.device,
    links: node.links,
  };
}

function sizeOf(node: DiskNode): number {
  if (node.kind === "file") return node.bytes.length;
  return node.kind === "symlink" ? Buffer.byteLength(node.target) : 0;
}
