// The `scan` and `look` jobs: what is on the disk now, and proof that it is still the same folder.

import type { Problem } from "../core/problem.ts";
import type { StatSignature } from "../index/entry.ts";

/** Which root a scan must have looked at for its absences to mean anything. */
export interface RootIdentity {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** Inode of `.dsync/` inside. */
  readonly markerInode: bigint;
}

export interface ScanRequest {
  readonly identity: RootIdentity;
  /** Disk paths relative to the root; `""` is the root itself. */
  readonly directories: readonly string[];
}

/** `root-changed`: not the folder that it was (checked before and after); nothing else may be concluded. */
export type ScanResult =
  | { readonly kind: "scanned"; readonly directories: readonly ScannedDirectory[] }
  | { readonly kind: "root-changed" };

export interface ScannedDirectory {
  readonly directory: string;
  /** `undefined` if the directory is gone; a problem if it could not be read whole (its absences mean nothing). */
  readonly children: readonly ScannedChild[] | Problem | undefined;
}

export interface ScannedChild {
  /** The disk's spelling. */
  readonly name: string;
  /** `undefined`: neither file, directory nor symlink (a socket, a device), or a name that is not UTF-8. */
  readonly signature: StatSignature | undefined;
  /** Symlinks only. */
  readonly target: string | undefined;
}

export interface LookRequest {
  readonly identity: RootIdentity;
  /** Disk paths relative to the root. */
  readonly paths: readonly string[];
}

/** One item per requested path, in order: `undefined` means that nothing is there. */
export type LookResult =
  | { readonly kind: "looked"; readonly items: readonly (ScannedChild | Problem | undefined)[] }
  | { readonly kind: "root-changed" };
