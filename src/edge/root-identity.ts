// Which directory a folder is, and whether it still is that one: everything that reads or writes it asks first.

import { DSYNC_DIRECTORY } from "../core/path.ts";
import type { FileSystem } from "./file-system.ts";

/** What a look at the folder must have looked at for its absences to mean anything. */
export interface RootIdentity {
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** Inode of `.dsync/` inside. */
  readonly markerInode: bigint;
}

/** False if the folder is gone, unmounted or swapped. */
export function isSameRoot(fs: FileSystem, identity: RootIdentity): boolean {
  try {
    const root = fs.lstat(identity.root);
    const marker = fs.lstat(`${identity.root}/${DSYNC_DIRECTORY}`);
    if (root?.kind !== "directory" || marker?.kind !== "directory") return false;
    return root.device === identity.device && root.inode === identity.inode && marker.inode === identity.markerInode;
  } catch {
    // What cannot be looked at is not proven.
    return false;
  }
}
