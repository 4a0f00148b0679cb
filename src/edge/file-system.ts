// The file system as dsync uses it: a small, synchronous interface. The real one runs on worker threads;
// tests run an in-memory one that can fail, forget and crash.

import type { Content } from "../index/entry.ts";

/** `lstat`, reduced to what dsync looks at. */
export interface Stat {
  readonly kind: Content["kind"] | "other";
  /** Bytes. */
  readonly size: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** When it was made; 0 where the disk does not tell. */
  readonly birthNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
  /** Hard links. */
  readonly links: number;
}

/** A child of a directory, with its disk spelling. */
export interface DirectoryItem {
  readonly name: string;
  readonly kind: Content["kind"] | "other";
}

/**
 * All paths are absolute disk paths. Every call throws Node's system errors (`code: "ENOSPC"`) unless it says otherwise.
 * No call follows a symlink in its last component.
 */
export interface FileSystem {
  /** `undefined` if nothing is there (ENOENT, ENOTDIR). */
  lstat(path: string): Stat | undefined;
  /** The children, unsorted. */
  readDirectory(path: string): readonly DirectoryItem[];
  readLink(path: string): string;
  /** Opens an existing regular file for reading (O_NOFOLLOW). Returns a descriptor. */
  openForReading(path: string): number;
  /** Creates a file that must not exist (O_EXCL), for reading and writing, with permission bits `mode` before umask. */
  createFile(path: string, mode: number): number;
  /** Opens an existing regular file for reading and writing (O_NOFOLLOW). */
  openForWriting(path: string): number;
  fstat(descriptor: number): Stat;
  /** Reads up to `target.length` bytes at `position`; returns how many (less only at the end of the file). */
  read(descriptor: number, target: Uint8Array, position: number): number;
  /** Writes all of `source` at `position`. */
  write(descriptor: number, source: Uint8Array, position: number): void;
  truncate(descriptor: number, size: number): void;
  setModeOf(descriptor: number, mode: number): void;
  setTimesOf(descriptor: number, mtimeUs: number): void;
  /** Makes the file's content durable. */
  sync(descriptor: number): void;
  close(descriptor: number): void;
  setMode(path: string, mode: number): void;
  setTimes(path: string, mtimeUs: number): void;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): void;
  /** A second name for the same file (or symlink); EEXIST if `to` exists. */
  link(from: string, to: string): void;
  symlink(target: string, path: string): void;
  unlink(path: string): void;
  makeDirectory(path: string, mode: number): void;
  removeDirectory(path: string): void;
  /** Copies content to a new file, sharing blocks where the file system can. EEXIST if `to` exists. */
  copyFile(from: string, to: string): void;
  /** Bytes that an unprivileged user may still write. */
  freeBytes(path: string): number;
}
