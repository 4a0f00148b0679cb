// The `probe` job: what the folder's file system can keep. It tries, because names and types of file systems say little.

import { errnoOf } from "../core/errors.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { isCoarse } from "../index/signature.ts";
import { discard } from "./discard.ts";
import { absolutePath, STAGING_DIRECTORY } from "./disk-layout.ts";

export interface ProbeRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
}

export interface ProbeResult {
  /** `undefined`: nothing can be tried on this disk now (full, read-only). */
  readonly traits: DiskTraits | undefined;
}

export interface DiskTraits {
  /** False on FAT, exFAT and the like, where every file has the mode that the mount says. */
  readonly keepsModes: boolean;
  /** True on FAT and the like: two changes within a second or two have one time. */
  readonly hasCoarseTimes: boolean;
}

/** Two modes that no mount option makes of each other. */
const PROBED_MODES = [0o600, 0o751];

/** Never throws. */
export function probe({ fs }: Pick<JobContext, "fs">, { root }: ProbeRequest): ProbeResult {
  return { traits: probeAt(fs, absolutePath(root, `${STAGING_DIRECTORY}/probe`)) };
}

/** What a file at `path` keeps, which is there no longer afterwards; `undefined` if that cannot be tried. */
export function probeAt(fs: FileSystem, path: string): DiskTraits | undefined {
  discard(fs, path);
  try {
    const descriptor = fs.createFile(path, 0o600);
    try {
      return { hasCoarseTimes: isCoarse(fs.fstat(descriptor)), keepsModes: keepsModesOf(fs, descriptor) };
    } finally {
      fs.close(descriptor);
    }
  } catch {
    return undefined;
  } finally {
    discard(fs, path);
  }
}

function keepsModesOf(fs: FileSystem, descriptor: number): boolean {
  try {
    return PROBED_MODES.every((mode) => {
      fs.setModeOf(descriptor, mode);
      return fs.fstat(descriptor).mode === mode;
    });
  } catch (error) {
    // Our own file: only a file system that has no such thing refuses.
    if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(error) ?? "")) return false;
    throw error;
  }
}
