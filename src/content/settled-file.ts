// Reads a file that should not change meanwhile, and notices if it does.

import { errnoOf } from "../core/errors.ts";
import { problemOf } from "../core/problem-of.ts";
import type { Problem } from "../core/problem.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf, signaturesEqual } from "../index/signature.ts";

/** It changed while it was read, vanished, or is no regular file any more: look again later. */
export interface Unsettled {
  readonly kind: "unsettled";
}

export interface ReadProblem {
  readonly kind: "problem";
  readonly problem: Problem;
}

export const UNSETTLED: Unsettled = { kind: "unsettled" };

/** What is open, and was a file with this signature then. */
export interface OpenedFile {
  readonly fs: FileSystem;
  readonly descriptor: number;
  readonly signature: StatSignature;
}

/** What opening a path says when it is gone or no regular file any more: a change, no problem. */
const CHANGED_CODES: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EMLINK", "EISDIR", "ENXIO"]);

/**
 * What `read` makes of the file at `path`, unless the file is another one before or after that. `read` returns `undefined`
 * if it notices itself. Never throws: what is wrong is the result.
 */
export function readSettled<Result>(
  fs: FileSystem,
  path: string,
  read: (file: OpenedFile) => Result | undefined,
): Result | Unsettled | ReadProblem {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openForReading(path);
    const before = signatureOf(fs.fstat(descriptor));
    if (before?.kind !== "file") return UNSETTLED;
    const result = read({ fs, descriptor, signature: before });
    if (result === undefined) return UNSETTLED;
    // One look tells both that the path is still this file (its inode) and that nobody wrote to it (the rest).
    const after = fs.lstat(path);
    return after !== undefined && signaturesEqual(before, signatureOf(after)) ? result : UNSETTLED;
  } catch (error) {
    if (CHANGED_CODES.has(errnoOf(error) ?? "")) return UNSETTLED;
    return { kind: "problem", problem: problemOf("read", error) };
  } finally {
    if (descriptor !== undefined) fs.close(descriptor);
  }
}

/**
 * A directory above a file may have been replaced by a symlink: then something outside the folder was read, and nobody must
 * hear of it. Looking afterwards covers the whole time of a job.
 */
export class Detours {
  readonly #fs: FileSystem;
  /** Absolute disk path of the folder. */
  readonly #root: string;
  readonly #known = new Map<string, boolean>();

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** True if something between the root and `path` is no directory now, or a symlink. `path`: relative to the root. */
  leadTo(path: string): boolean {
    const slash = path.lastIndexOf("/");
    if (slash === -1) return false;
    const parent = path.slice(0, slash);
    let isDetour = this.#known.get(parent);
    if (isDetour === undefined) {
      isDetour = this.leadTo(parent) || !this.#isDirectory(parent);
      this.#known.set(parent, isDetour);
    }
    return isDetour;
  }

  #isDirectory(path: string): boolean {
    try {
      return this.#fs.lstat(`${this.#root}/${path}`)?.kind === "directory";
    } catch {
      return false;
    }
  }
}
