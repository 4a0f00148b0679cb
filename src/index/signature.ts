// Stat signatures: when two looks at the disk mean "nothing happened in between".

import type { Stat } from "../edge/file-system.ts";
import type { StatSignature } from "./entry.ts";

/** Of old Unix file systems, and of FAT. */
const COARSE_STEPS_US = [1_000_000, 2_000_000];

/**
 * The signature of a file, directory or symlink; `undefined` for everything else (sockets, devices).
 * A directory's size and times follow its children, and a symlink's mode is no property of it: they are left out (0).
 */
export function signatureOf(stat: Stat): StatSignature | undefined {
  const { kind, inode } = stat;
  switch (kind) {
    case "other":
      return undefined;
    case "directory":
      return { kind, size: 0, mode: stat.mode, mtimeNs: 0n, ctimeNs: 0n, inode };
    case "symlink":
      return { kind, size: stat.size, mode: 0, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, inode };
    case "file":
      return { kind, size: stat.size, mode: stat.mode, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, inode };
  }
}

/** True if nothing happened to the path between the two looks. */
export function signaturesEqual(a: StatSignature | undefined, b: StatSignature | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.kind === b.kind &&
    a.size === b.size &&
    a.mode === b.mode &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.inode === b.inode
  );
}

/** True on a disk that keeps whole seconds; by chance elsewhere. */
export function isCoarse({ mtimeNs, ctimeNs }: Pick<Stat, "mtimeNs" | "ctimeNs">): boolean {
  return ctimeNs % 1_000_000_000n === 0n && mtimeNs % 1_000_000_000n === 0n;
}

/**
 * True if a file that was given the time `setUs` would show `foundUs`: the same, or what a disk makes of it that keeps
 * whole seconds, or every other one, only.
 */
export function isTimeAsKept(setUs: number, foundUs: number): boolean {
  return setUs === foundUs || COARSE_STEPS_US.some((stepUs) => foundUs === Math.floor(setUs / stepUs) * stepUs);
}

/** Modification time as versions carry it: whole microseconds, rounded down. */
export function mtimeUsOf(signature: Pick<StatSignature, "mtimeNs">): number {
  const ns = signature.mtimeNs;
  const rest = ((ns % 1000n) + 1000n) % 1000n;
  return Number((ns - rest) / 1000n);
}
