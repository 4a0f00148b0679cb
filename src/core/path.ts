// Paths as the index and the wire know them: relative, `/`-separated, NFC, never leaving the folder.

import { PATH_BYTES_MAX } from "./limits.ts";

declare const brand: unique symbol;
/** A checked path inside the folder: 1 to 4,096 bytes of UTF-8, no empty, `.` or `..` component, no NUL. */
export type RelativePath = string & { readonly [brand]: "RelativePath" };

/** dsync's own directory at the top of a folder. */
export const DSYNC_DIRECTORY = ".dsync";
/** The ignore file at the top of a folder. */
export const IGNORE_FILE = ".dsyncignore";
/** The ending of files that are being put together. */
export const PARTIAL_SUFFIX = ".part";

/** Returns `text` as a path, or `undefined` if it is not one (also when it is not NFC or holds lone surrogates). */
export function parsePath(text: unknown): RelativePath | undefined {
  if (typeof text !== "string" || text.length === 0 || text.length > PATH_BYTES_MAX) return undefined;
  if (text.includes("\0") || !text.isWellFormed() || text.normalize("NFC") !== text) return undefined;
  if (Buffer.byteLength(text) > PATH_BYTES_MAX) return undefined;
  for (const component of text.split("/")) {
    if (component === "" || component === "." || component === "..") return undefined;
  }
  return text as RelativePath;
}

/** True for what dsync never syncs, whatever the ignore file says: its own directory, ignore files, `*.part`. */
export function isReserved(path: RelativePath): boolean {
  const top = path.indexOf("/") === -1 ? path : path.slice(0, path.indexOf("/"));
  // Folded, because on a case-insensitive disk `.DSYNC` is our own directory.
  if (top.toLowerCase() === DSYNC_DIRECTORY) return true;
  const name = baseName(path).toLowerCase();
  return name === IGNORE_FILE || name.endsWith(PARTIAL_SUFFIX);
}

/** The name of what a job puts together in another directory than staging (transfer/across.ts). */
export function besideName(jobId: number, number: number): string {
  return `${DSYNC_DIRECTORY}-${jobId}-${number}${PARTIAL_SUFFIX}`;
}

/** True for names that {@link besideName} makes. */
export function isBesideName(name: string): boolean {
  return /^\.dsync-\d{1,15}-\d{1,15}\.part$/.test(name);
}

/** The directory that holds `path`, or `undefined` at the top. */
export function parentOf(path: RelativePath): RelativePath | undefined {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? undefined : (path.slice(0, slash) as RelativePath);
}

/** The last component. */
export function baseName(path: RelativePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `name` inside `directory` (`undefined`: the top). The caller vouches that `name` is one checked component. */
export function joinPath(directory: RelativePath | undefined, name: string): RelativePath {
  return (directory === undefined ? name : `${directory}/${name}`) as RelativePath;
}

/** True if `path` is below `directory`, at any depth. */
export function isBelow(path: RelativePath, directory: RelativePath): boolean {
  return path.length > directory.length && path.startsWith(directory) && path[directory.length] === "/";
}
