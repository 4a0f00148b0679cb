// The `flush` job: makes paths durable, so that a power loss no longer undoes or damages them: the content of files, and
// then the names in the directories that hold them.

import { errnoOf } from "../core/errors.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { absolutePath } from "./disk-layout.ts";
import { ParentGuard } from "./parent-guard.ts";

export interface FlushRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Disk paths relative to the folder. What is not there is made durable, too: its name is gone for good. */
  readonly diskPaths: readonly string[];
}

export interface FlushResult {
  /** One per path, in order: false if it could not be done. */
  readonly durable: readonly boolean[];
}

/** Some systems have no way to open a directory for this; they write names down in order, or at once. */
const NO_DIRECTORY_SYNC: ReadonlySet<string> = new Set(["EISDIR", "EINVAL", "EPERM", "EACCES", "ENOTSUP", "EBADF"]);
/** What a path says that is gone: then the directory above it counts. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

export function flush({ fs }: JobContext, { root, diskPaths }: FlushRequest): FlushResult {
  const guard = new ParentGuard(fs, root);
  const directories = new Map<string, boolean>();
  const isFlushed = diskPaths.map((path) => !holds(guard, path) || flushPath(fs, absolutePath(root, path)));
  const durable = diskPaths.map((path, index) => {
    const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    if (!directories.has(parent)) directories.set(parent, !holds(guard, path) || flushNames(fs, root, parent));
    return isFlushed[index] === true && directories.get(parent) === true;
  });
  return { durable };
}

function holds(guard: ParentGuard, path: string): boolean {
  try {
    return guard.hold(path);
  } catch {
    return false;
  }
}

/** Makes a file's content durable. False if that could not be done; nothing and what is no file needs nothing. */
export function flushPath(fs: FileSystem, path: string): boolean {
  try {
    const kind = fs.lstat(path)?.kind;
    if (kind === "file") flushFile(fs, path);
    return true;
  } catch (error) {
    return GONE.has(errnoOf(error) ?? "");
  }
}

function flushFile(fs: FileSystem, path: string): void {
  try {
    syncThrough(fs, fs.openForReading(path));
  } catch (error) {
    // Windows wants a descriptor that may write.
    if (errnoOf(error) !== "EPERM") throw error;
    syncThrough(fs, fs.openForWriting(path));
  }
}

function flushNames(fs: FileSystem, root: string, directory: string): boolean {
  try {
    syncThrough(fs, fs.openForReading(absolutePath(root, directory)));
    return true;
  } catch (error) {
    const code = errnoOf(error) ?? "";
    return NO_DIRECTORY_SYNC.has(code) || GONE.has(code);
  }
}

function syncThrough(fs: FileSystem, descriptor: number): void {
  try {
    fs.sync(descriptor);
  } finally {
    fs.close(descriptor);
  }
}
