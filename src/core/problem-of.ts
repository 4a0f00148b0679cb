// Turns a system error at one path into a problem that a person can act on.

import { errnoOf, messageOf } from "./errors.ts";
import type { Problem } from "./problem.ts";

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "permission denied: give the user that runs dsync the right to it (chmod, chown)",
  EPERM: "not permitted: the file or file system forbids it",
  ENOSPC: "the disk is full: free some space, dsync goes on by itself",
  EDQUOT: "the disk quota is used up: free some space, dsync goes on by itself",
  EROFS: "the file system is read-only: mount it writable, dsync goes on by itself",
  ENAMETOOLONG: "the name or path is too long for this file system: shorten it",
  ENOENT: "it was moved or removed meanwhile: if it is still there, dsync looks again by itself",
  EXDEV: "another file system is mounted in between: dsync tries again, or unmount that one",
  EINVAL: "the name is not allowed on this file system: rename it",
  EILSEQ: "the name is not allowed on this file system: rename it",
  EBUSY: "another program holds it: close that program",
  EFBIG: "it is too large to sync: a file may have some 512 GiB",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
  EIO: "the disk reports an error: check it",
};

/** `action` says what was tried (`write`). */
export function problemOf(action: string, error: unknown): Problem {
  const code = errnoOf(error) ?? "EUNKNOWN";
  return { code, message: `Cannot ${action}: ${REMEDIES[code] ?? messageOf(error)}.` };
}

/** True for problems of the whole disk, not of one path. */
export function isDiskFull(problem: Problem): boolean {
  return problem.code === "ENOSPC" || problem.code === "EDQUOT";
}
