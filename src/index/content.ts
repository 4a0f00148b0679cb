// When two contents are equal. Pure.

import type { Content } from "./entry.ts";
import { isTimeAsKept } from "./signature.ts";

/** True if nothing tells them apart, mode and mtime included. */
export function contentEqual(a: Content, b: Content): boolean {
  if (!sameContent(a, b)) return false;
  if (a.kind === "file" && b.kind === "file") return a.mode === b.mode && a.mtimeUs === b.mtimeUs && a.size === b.size;
  if (a.kind === "directory" && b.kind === "directory") return a.mode === b.mode;
  return true;
}

/** True if they hold the same: kind and content ID, or target. Mode and mtime may differ; all directories are the same. */
export function sameContent(a: Content, b: Content): boolean {
  switch (a.kind) {
    case "file":
      return b.kind === "file" && a.contentId === b.contentId;
    case "directory":
      return b.kind === "directory";
    case "symlink":
      return b.kind === "symlink" && a.target === b.target;
  }
}

/** True if a disk that was given `set` would show `found`: equal, but for what the disk may make of the time. */
export function isContentAsKept(set: Content, found: Content): boolean {
  if (set.kind !== "file" || found.kind !== "file") return contentEqual(set, found);
  return contentEqual({ ...set, mtimeUs: found.mtimeUs }, found) && isTimeAsKept(set.mtimeUs, found.mtimeUs);
}
