// What the operations of one `apply` job share.

import type { Stat } from "../edge/file-system.ts";
import type { JobContext } from "../edge/job-context.ts";
import { mtimeUsOf, signatureOf, signaturesEqual } from "../index/signature.ts";
import type { StatSignature } from "../index/entry.ts";
import type { ApplyOutcome, Expected } from "./apply-operation.ts";
import { absolutePath } from "./disk-layout.ts";
import type { ParentGuard } from "./parent-guard.ts";
import type { TrashBatch } from "./trash-batch.ts";

export interface ApplyState {
  readonly context: JobContext;
  readonly root: string;
  readonly trash: TrashBatch;
  readonly parents: ParentGuard;
  /** True only if the file system that `stat` is of is known to keep the modes that it is given. */
  keepsModes(stat: Pick<Stat, "device">): boolean;
  /** A fresh name in staging. */
  temporaryPath(): string;
  /** A fresh name for use in another directory; a leftover of an earlier run may have it. */
  besideName(): string;
}

/** True if the path still is what the index expects. */
export function isExpected(state: ApplyState, operation: { diskPath: string; expected: Expected }): boolean {
  const current = state.context.fs.lstat(absolutePath(state.root, operation.diskPath));
  if (current === undefined || operation.expected === "absent") {
    return current === undefined && operation.expected === "absent";
  }
  return signaturesEqual(signatureOf(current), operation.expected);
}

/** What tells a file from another one, or from itself after a change, whatever names it was given meanwhile. */
export type Untouched = Pick<Stat, "kind" | "inode" | "size" | "mtimeNs">;

/** What was put in place, the mode it had, and the one that it was given then. */
export type Placed = Untouched & { readonly mode: number; readonly modeSet?: number };

/** True if that is still what was `placed`. Renames and links change ctime, and modes are set last: they do not count. */
export function isUntouched(current: Stat | undefined, placed: Untouched): boolean {
  if (current?.kind !== placed.kind) return false;
  if (placed.kind === "directory") return true;
  return current.inode === placed.inode && current.size === placed.size && current.mtimeNs === placed.mtimeNs;
}

export type Kept =
  /** Where it is now, relative to the folder; `undefined` if no trash is kept. */
  { readonly kind: "kept"; readonly trashed: string | undefined } | { readonly kind: "changed" };

/**
 * Keeps the expected file or symlink in the trash, to be replaced or removed right afterwards. Without hard links it is
 * copied, which takes time: so it is looked at once more, and what somebody wrote meanwhile is neither kept nor lost. What
 * was kept is looked at as well: somebody may have put something else there for a moment.
 */
export function keepExpected(state: ApplyState, diskPath: string, expected: StatSignature): Kept {
  const { context, root, trash } = state;
  const trashed = trash.keep(diskPath);
  const isKept = trashed === undefined || isKeptAs(context.fs.lstat(absolutePath(root, trashed)), expected);
  if (isKept && isUntouched(context.fs.lstat(absolutePath(root, diskPath)), expected)) return { kind: "kept", trashed };
  trash.discard(trashed);
  return { kind: "changed" };
}

/** True if `kept` is another name of what is expected, or may be a copy of it. */
function isKeptAs(kept: Stat | undefined, expected: StatSignature): boolean {
  if (kept?.kind !== expected.kind || kept.size !== expected.size) return false;
  return kept.inode === expected.inode || kept.links === 1;
}

/** File systems that keep times less exactly than asked round them down: to 10 ms (exFAT) or more, up to 2 s (FAT). */
const COARSE_TIME_NS = 10_000_000n;
const COARSE_DRIFT_US_MAX = 2_000_000;

/**
 * What a file that was `before` should be now that its time was set, `current` being a look at it; `undefined` if its
 * time says that somebody wrote to it since. `mtimeUs`: as it was set; `undefined`: it was left alone.
 */
export function afterSetTimes(
  current: Stat | undefined,
  { kind, inode, size, mode }: StatSignature,
  mtimeUs: number | undefined,
): Placed | undefined {
  const placed = { kind, inode, size, mode, mtimeNs: current?.mtimeNs ?? 0n };
  return mtimeUs === undefined || hasTime(placed, mtimeUs) ? placed : undefined;
}

/** True if a file has the time that it was given, as its file system keeps times: nobody wrote to it since. */
function hasTime(placed: Untouched, mtimeUs: number): boolean {
  const driftUs = mtimeUs - mtimeUsOf(placed);
  if (driftUs === 0) return true;
  return placed.mtimeNs % COARSE_TIME_NS === 0n && driftUs > 0 && driftUs <= COARSE_DRIFT_US_MAX;
}

/** What was placed, and the mode that it was given then. */
export function givenMode(placed: Placed | undefined, modeSet: number): Placed | undefined {
  return placed === undefined ? undefined : { ...placed, modeSet };
}

/** Set-user-ID and the like: a kernel may leave them out without a word. */
const PERMISSION_BITS = 0o777;

/** False if a person gave it another mode than it was placed with, or was given then. */
function hasModeOf(state: ApplyState, current: Stat, { kind, mode, modeSet }: Placed): boolean {
  if (kind === "symlink") return true;
  if (modeSet === undefined) return current.mode === mode;
  if ((current.mode & PERMISSION_BITS) === (modeSet & PERMISSION_BITS)) return true;
  // As it was before: either the disk cannot keep another one, or a person gave that one back.
  return current.mode === mode && !state.keepsModes(current);
}

export type Applied = Extract<ApplyOutcome, { kind: "applied" }>;

/**
 * The outcome of what is in its place already: it is there, whatever `settle` cannot look at or set then. The index has to
 * know, or what is heard of the path next would find a file there that passes for a person's.
 */
export function oncePlaced(trashed: string | undefined, settle: () => Applied): Applied {
  try {
    return settle();
  } catch {
    return { kind: "applied", signature: undefined, trashed, touched: true };
  }
}

/**
 * The outcome of a path at which `placed` was put a moment ago. Whoever changed it since is noticed: then it has no
 * signature, since the index would take that for a look at what was placed.
 */
export function applied(
  state: ApplyState,
  diskPath: string,
  trashed: string | undefined,
  placed: Placed | undefined,
): Applied {
  const current = state.context.fs.lstat(absolutePath(state.root, diskPath));
  const isTouched =
    current === undefined ||
    placed === undefined ||
    !isUntouched(current, placed) ||
    !hasModeOf(state, current, placed);
  return { kind: "applied", signature: isTouched ? undefined : signatureOf(current), trashed, touched: isTouched };
}
