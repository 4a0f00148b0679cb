// The `scan` and `look` jobs: what is on the disk now, and proof that it is still the same folder.
// Symlinks are never followed, neither in the last component nor in a parent.

import { errnoOf } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import { problemOf } from "../core/problem-of.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { ExactNames } from "../edge/exact-names.ts";
import { isSameRoot, type RootIdentity } from "../edge/root-identity.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { packChildren, type PackedChildren } from "./packed-children.ts";
import { sumOfChildren } from "./sum-of-children.ts";

export interface ScanRequest {
  readonly identity: RootIdentity;
  /** Disk paths relative to the root; `""` is the root itself. */
  readonly directories: readonly string[];
  /** One per directory: the sum (index/listing-sum.ts) with which it has not to be listed. None: all are, without sums. */
  readonly expected?: readonly string[];
}

/** `root-changed`: not the folder that it was (checked before and after); nothing else may be concluded. */
export type ScanResult =
  | { readonly kind: "scanned"; readonly directories: readonly ScannedDirectory[] }
  | { readonly kind: "root-changed" };

export interface ScannedDirectory {
  readonly directory: string;
  /**
   * `unchanged`: its sum is the expected one; `below`: the names of the directories in it. `sum`: see sum-of-children.ts.
   * `gone`: nothing there, or no directory. `unreadable`: its absences mean nothing.
   */
  readonly listing:
    | { readonly kind: "listed"; readonly children: PackedChildren; readonly sum: string | undefined }
    | { readonly kind: "unchanged"; readonly count: number; readonly below: readonly string[] }
    | { readonly kind: "gone" }
    | { readonly kind: "unreadable"; readonly problem: Problem };
}

/** Something that is on the disk. */
export interface ScannedChild {
  /** The disk's spelling. */
  readonly name: string;
  /** `undefined`: neither file, directory nor symlink (a socket, a device), or see `problem`. */
  readonly signature: StatSignature | undefined;
  /** Symlinks only. */
  readonly target: string | undefined;
  /** It is there, but cannot be looked at. */
  readonly problem: Problem | undefined;
  /** When it was made; 0 where the disk does not tell. Only of a `look`. */
  readonly birthNs?: bigint;
}

export interface LookRequest {
  readonly identity: RootIdentity;
  /** Disk paths relative to the root. */
  readonly paths: readonly string[];
}

/** One item per requested path, in order: `undefined` means that nothing is there. */
export type LookResult =
  | { readonly kind: "looked"; readonly items: readonly (ScannedChild | undefined)[] }
  | { readonly kind: "root-changed" };

/** Lists whole directories, each child with its signature. */
export function scanDirectories(fs: FileSystem, request: ScanRequest): ScanResult {
  const { identity, expected } = request;
  if (!isSameRoot(fs, identity)) return { kind: "root-changed" };
  const parents = new RealDirectories(fs, identity.root);
  const listingOf = (children: readonly ScannedChild[], index: number): ScannedDirectory["listing"] => {
    const sum = expected === undefined ? undefined : sumOfChildren(children);
    if (sum !== undefined && sum === expected?.[index]) {
      return { kind: "unchanged", count: children.length, below: directoriesAmong(children) };
    }
    return { kind: "listed", children: packChildren(children), sum };
  };
  const directories = request.directories.map((directory, index) => ({
    directory,
    listing: scanDirectory(fs, parents, directory, (children) => listingOf(children, index)),
  }));
  return isSameRoot(fs, identity) ? { kind: "scanned", directories } : { kind: "root-changed" };
}

/** Looks at single paths. */
export function lookAtPaths(fs: FileSystem, request: LookRequest): LookResult {
  const { identity } = request;
  if (!isSameRoot(fs, identity)) return { kind: "root-changed" };
  const parents = new RealDirectories(fs, identity.root);
  const names = new ExactNames(fs, identity.root);
  const items = request.paths.map((path) => {
    const slash = path.lastIndexOf("/");
    const directory = slash === -1 ? "" : path.slice(0, slash);
    const name = path.slice(slash + 1);
    try {
      if (parents.inodeOf(directory) === undefined) return undefined;
      const child = lookAtChild(fs, parents.absolute(directory), name);
      return child !== undefined && names.isExact(path) ? child : undefined;
    } catch (error) {
      return failedChild(name, error);
    }
  });
  return isSameRoot(fs, identity) ? { kind: "looked", items } : { kind: "root-changed" };
}

type Listing = ScannedDirectory["listing"];

function scanDirectory(
  fs: FileSystem,
  parents: RealDirectories,
  directory: string,
  listingOf: (children: readonly ScannedChild[]) => Listing,
): Listing {
  try {
    const inode = parents.inodeOf(directory);
    if (inode === undefined) return { kind: "gone" };
    const path = parents.absolute(directory);
    const children: ScannedChild[] = [];
    for (const { name } of fs.readDirectory(path)) {
      const child = lookAtChild(fs, path, name);
      if (child !== undefined) children.push(child);
    }
    // Replaced meanwhile, perhaps by a symlink: then the children are somebody else's.
    const after = fs.lstat(path);
    if (after?.kind !== "directory" || after.inode !== inode) return { kind: "gone" };
    return listingOf(children);
  } catch (error) {
    if (isNothingThere(error)) return { kind: "gone" };
    return { kind: "unreadable", problem: problemOf("read the directory", error) };
  }
}

function directoriesAmong(children: readonly ScannedChild[]): readonly string[] {
  return children.flatMap(({ name, signature }) => (signature?.kind === "directory" ? [name] : []));
}

function lookAtChild(fs: FileSystem, directory: string, name: string): ScannedChild | undefined {
  const path = `${directory}/${name}`;
  try {
    const stat = fs.lstat(path);
    // Node decodes names that are not UTF-8 with U+FFFD, and nothing has that name.
    if (stat === undefined) return name.includes("\uFFFD") ? undecodableChild(name) : undefined;
    const target = stat.kind === "symlink" ? fs.readLink(path) : undefined;
    return { name, signature: signatureOf(stat), target, problem: undefined, birthNs: stat.birthNs };
  } catch (error) {
    return isNothingThere(error) ? undefined : failedChild(name, error);
  }
}

function failedChild(name: string, error: unknown): ScannedChild {
  return { name, signature: undefined, target: undefined, problem: problemOf("look at it", error) };
}

function undecodableChild(name: string): ScannedChild {
  const problem = { code: "EILSEQ", message: "Cannot sync it: its name is not valid UTF-8. Rename it." };
  return { name, signature: undefined, target: undefined, problem };
}

/** `EINVAL`: a symlink that was replaced between `lstat` and `readlink`. */
function isNothingThere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EINVAL"].includes(errnoOf(error) ?? "");
}

/** Which directories are directories all the way up to the root, asked once per job. */
class RealDirectories {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #inodes = new Map<string, bigint | undefined>();

  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  absolute(directory: string): string {
    return directory === "" ? this.#root : `${this.#root}/${directory}`;
  }

  /** `undefined` if it is none, or is reached through a symlink. */
  inodeOf(directory: string): bigint | undefined {
    const known = this.#inodes.get(directory);
    if (known !== undefined || this.#inodes.has(directory)) return known;
    const inode = this.#ask(directory);
    this.#inodes.set(directory, inode);
    return inode;
  }

  #ask(directory: string): bigint | undefined {
    const slash = directory.lastIndexOf("/");
    if (directory !== "" && this.inodeOf(slash === -1 ? "" : directory.slice(0, slash)) === undefined) return undefined;
    const stat = this.#fs.lstat(this.absolute(directory));
    return stat?.kind === "directory" ? stat.inode : undefined;
  }
}
