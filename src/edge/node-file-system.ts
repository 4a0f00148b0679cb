// The real file system: synchronous node:fs calls behind the FileSystem interface. They belong on worker threads.

import fs from "node:fs";

import { errnoOf } from "../core/errors.ts";
import type { DirectoryItem, FileSystem, Stat } from "./file-system.ts";

// Windows has no such flags: there they are undefined.
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;
/** Without it, opening a FIFO waits for somebody at its other end. */
const NO_WAIT = fs.constants.O_NONBLOCK ?? 0;

const FLAGS_READ = fs.constants.O_RDONLY | NO_FOLLOW | NO_WAIT;
const FLAGS_WRITE = fs.constants.O_RDWR | NO_FOLLOW | NO_WAIT;
const FLAGS_CREATE = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NO_FOLLOW;
const COPY_FLAGS = fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE;

const TYPE_MASK = fs.constants.S_IFMT;
const PERMISSION_MASK = 0o7777;
const US_PER_SECOND = 1_000_000;

const LSTAT_OPTIONS = { bigint: true, throwIfNoEntry: false } as const;
const FSTAT_OPTIONS = { bigint: true } as const;

/** The machine's file system. */
export const nodeFileSystem: FileSystem = {
  lstat,
  readDirectory,
  readLink: (path) => fs.readlinkSync(path),
  openForReading: (path) => fs.openSync(path, FLAGS_READ),
  createFile: (path, mode) => fs.openSync(path, FLAGS_CREATE, mode),
  openForWriting: (path) => fs.openSync(path, FLAGS_WRITE),
  fstat: (descriptor) => statOf(fs.fstatSync(descriptor, FSTAT_OPTIONS)),
  read,
  write,
  truncate: (descriptor, size) => fs.ftruncateSync(descriptor, size),
  setModeOf: (descriptor, mode) => fs.fchmodSync(descriptor, mode),
  setTimesOf(descriptor, mtimeUs) {
    const time = nodeTime(mtimeUs);
    fs.futimesSync(descriptor, time, time);
  },
  sync: (descriptor) => fs.fsyncSync(descriptor),
  close: (descriptor) => fs.closeSync(descriptor),
  setMode,
  setTimes(path, mtimeUs) {
    const time = nodeTime(mtimeUs);
    fs.lutimesSync(path, time, time);
  },
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  symlink: (target, path) => fs.symlinkSync(target, path),
  unlink: (path) => fs.unlinkSync(path),
  makeDirectory: (path, mode) => fs.mkdirSync(path, { mode }),
  removeDirectory: (path) => fs.rmdirSync(path),
  copyFile(from, to) {
    refuseSymlink(from, "copyfile");
    fs.copyFileSync(from, to, COPY_FLAGS);
  },
  freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  },
};

function lstat(path: string): Stat | undefined {
  try {
    const stats = fs.lstatSync(path, LSTAT_OPTIONS);
    return stats === undefined ? undefined : statOf(stats);
  } catch (error) {
    // `throwIfNoEntry` covers ENOENT alone.
    if (errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function statOf(stats: fs.BigIntStats): Stat {
  const mode = Number(stats.mode);
  return {
    kind: kindOf(mode),
    size: Number(stats.size),
    mode: mode & PERMISSION_MASK,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    birthNs: stats.birthtimeNs,
    inode: stats.ino,
    device: stats.dev,
    links: Number(stats.nlink),
  };
}

function kindOf(mode: number): Stat["kind"] {
  switch (mode & TYPE_MASK) {
    case fs.constants.S_IFREG:
      return "file";
    case fs.constants.S_IFDIR:
      return "directory";
    case fs.constants.S_IFLNK:
      return "symlink";
    default:
      return "other";
  }
}

function readDirectory(path: string): DirectoryItem[] {
  return fs.readdirSync(path, { withFileTypes: true }).map((item) => ({ name: item.name, kind: direntKind(item) }));
}

function direntKind(item: fs.Dirent): DirectoryItem["kind"] {
  if (item.isFile()) return "file";
  if (item.isDirectory()) return "directory";
  return item.isSymbolicLink() ? "symlink" : "other";
}

function read(descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = fs.readSync(descriptor, target, done, target.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function write(descriptor: number, source: Uint8Array, position: number): void {
  let done = 0;
  while (done < source.length) {
    done += fs.writeSync(descriptor, source, done, source.length - done, position + done);
  }
}

/** chmod(2) follows symlinks and lchmod(2) is not everywhere: so through a descriptor, wherever one can be had. */
function setMode(path: string, mode: number): void {
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, FLAGS_READ);
  } catch {
    // Unreadable for its owner, or a directory on Windows.
    refuseSymlink(path, "chmod");
    fs.chmodSync(path, mode);
    return;
  }
  try {
    fs.fchmodSync(descriptor, mode);
  } finally {
    fs.closeSync(descriptor);
  }
}

function refuseSymlink(path: string, call: string): void {
  if (lstat(path)?.kind !== "symlink") return;
  throw Object.assign(new Error(`ELOOP: ${call} does not follow symlinks, '${path}'`), { code: "ELOOP" });
}

/**
 * A time as node:fs takes it, such that the microsecond comes out exact (for 140 years around 1970).
 * The C library truncates toward zero, so half a microsecond is added away from zero. A negative number would mean
 * "now" to Node; the same number as a string is taken as it is.
 */
function nodeTime(mtimeUs: number): number | string {
  return mtimeUs >= 0 ? (mtimeUs + 0.5) / US_PER_SECOND : String((mtimeUs - 0.5) / US_PER_SECOND);
}
