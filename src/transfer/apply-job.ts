// The `apply` job: brings the disk from what it holds to what is known, one path after the other.
//
// Invariants:
// 1. At every instant a path holds the complete old or the complete new content: new content is put together in staging,
//    verified, and renamed into place.
// 2. Nothing is replaced or removed unless the path still is what the index expects: otherwise a person changed it, and
//    merge decides. What is replaced or removed is in the trash first.
// 3. Nothing is reached through a symlink: every parent is checked to be a directory.
// 4. Nothing is done to a folder that is not the one that it was (unmounted: what is at its path then is another disk's).

import { assertNever } from "../core/assert.ts";
import { errnoOf } from "../core/errors.ts";
import { besideName } from "../core/path.ts";
import { problemOf } from "../core/problem-of.ts";
import type { JobContext } from "../edge/job-context.ts";
import { ExactNames } from "../edge/exact-names.ts";
import type { Stat } from "../edge/file-system.ts";
import { isSameRoot } from "../edge/root-identity.ts";
import type { ApplyOperation, ApplyOutcome, ApplyRequest, ApplyResult } from "./apply-operation.ts";
import {
  afterSetTimes,
  applied,
  givenMode,
  isExpected,
  keepExpected,
  oncePlaced,
  type Applied,
  type ApplyState,
} from "./apply-state.ts";
import { absolutePath } from "./disk-layout.ts";
import { ParentGuard } from "./parent-guard.ts";
import { moveFile, placeFile, placeSymlink } from "./place.ts";
import { probeAt } from "./probe-job.ts";
import { TrashBatch } from "./trash-batch.ts";

/** Removed: now, or already, perhaps with its parents by a run that was killed before it could note it. */
const GONE: ApplyOutcome = { kind: "applied", signature: undefined, trashed: undefined, touched: false };

export function applyOperations(context: JobContext, request: ApplyRequest): ApplyResult {
  const { identity, jobId } = request;
  const { root, device } = identity;
  if (!isSameRoot(context.fs, identity)) return { kind: "root-changed" };
  let temporaries = 0;
  let keepsModes: boolean | undefined;
  const state: ApplyState = {
    context,
    root,
    trash: new TrashBatch(context.fs, root, request.trashBatch),
    parents: new ParentGuard(context.fs, root),
    // Tried only when it matters, which is rare where modes are kept.
    keepsModes: (stat) =>
      stat.device === device && (keepsModes ??= probeAt(context.fs, state.temporaryPath())?.keepsModes ?? false),
    temporaryPath: () => absolutePath(root, `.dsync/staging/new-${jobId}-${temporaries++}`),
    besideName: () => besideName(jobId, temporaries++),
  };
  return { kind: "applied", outcomes: request.operations.map((operation) => applyOne(state, operation)) };
}

function applyOne(state: ApplyState, operation: ApplyOperation): ApplyOutcome {
  try {
    if (!state.parents.hold(operation.diskPath)) return isGone(state, operation) ? GONE : { kind: "changed" };
    if (operation.expected === "absent" && hasOtherSpelling(state, operation)) return CASE_CLASH;
    switch (operation.kind) {
      case "directory":
        return makeDirectory(state, operation);
      case "file":
        return placeFile(state, operation);
      case "move":
        return moveFile(state, operation);
      case "symlink":
        return placeSymlink(state, operation);
      case "metadata":
        return setMetadata(state, operation);
      case "remove":
        return remove(state, operation);
      default:
        return assertNever(operation);
    }
  } catch (error) {
    return { kind: "problem", problem: problemOf(operation.kind === "remove" ? "remove" : "write", error) };
  }
}

/** It is to be removed, and is not there any more. */
function isGone({ context, root }: ApplyState, { kind, diskPath }: ApplyOperation): boolean {
  return kind === "remove" && context.fs.lstat(absolutePath(root, diskPath)) === undefined;
}

/** Something answers to that name which its directory calls otherwise, and which is not what is to be moved there. */
function hasOtherSpelling(state: ApplyState, operation: ApplyOperation): boolean {
  const current = state.context.fs.lstat(absolutePath(state.root, operation.diskPath));
  if (current === undefined) return false;
  if (operation.kind === "move" && operation.fromSignature.inode === current.inode) return false;
  return !new ExactNames(state.context.fs, state.root).isExact(operation.diskPath);
}

const CASE_CLASH: ApplyOutcome = {
  kind: "problem",
  problem: {
    code: "ECASE",
    message:
      "Cannot write: this file system takes its name for another one's, which differs only in upper and lower case. Rename one.",
  },
};

type Operation<Kind extends ApplyOperation["kind"]> = Extract<ApplyOperation, { kind: Kind }>;

function makeDirectory(state: ApplyState, operation: Operation<"directory">): ApplyOutcome {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const current = fs.lstat(path);
  // For whatever reason, it is what is wanted: directories merge.
  if (current?.kind === "directory") {
    const still = fs.lstat(path);
    return still?.kind === "directory" ? settleDirectory(state, operation, undefined, still) : { kind: "changed" };
  }
  if (!isExpected(state, operation)) return { kind: "changed" };
  let trashed: string | undefined;
  if (operation.expected !== "absent") {
    const kept = keepExpected(state, operation.diskPath, operation.expected);
    if (kept.kind === "changed") return kept;
    trashed = kept.trashed;
    fs.unlink(path);
  }
  fs.makeDirectory(path, operation.mode);
  return oncePlaced(trashed, () => settleDirectory(state, operation, trashed, fs.lstat(path)));
}

/** Gives a directory that is in its place the mode that it is to have. */
function settleDirectory(
  state: ApplyState,
  { diskPath, mode }: Operation<"directory">,
  trashed: string | undefined,
  made: Stat | undefined,
): Applied {
  // Who takes the place of what was made a moment ago is noticed; what was there before that is in the trash by now.
  if (made?.kind !== "directory") return applied(state, diskPath, trashed, undefined);
  if (made.mode !== mode) state.context.fs.setMode(absolutePath(state.root, diskPath), mode);
  return applied(state, diskPath, trashed, givenMode(made, mode));
}

function setMetadata(state: ApplyState, operation: Operation<"metadata">): ApplyOutcome {
  if (!isExpected(state, operation)) return { kind: "changed" };
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const { expected, mode, mtimeUs } = operation;
  if (expected === "absent") return applied(state, operation.diskPath, undefined, undefined);
  if (expected.mode !== mode) fs.setMode(path, mode);
  try {
    if (mtimeUs !== undefined) fs.setTimes(path, mtimeUs);
  } catch (error) {
    // Both or neither: what is half done would pass for a person's change.
    if (expected.mode !== mode) fs.setMode(path, expected.mode);
    throw error;
  }
  return oncePlaced(undefined, () => {
    const placed = givenMode(afterSetTimes(fs.lstat(path), expected, mtimeUs), mode);
    return applied(state, operation.diskPath, undefined, placed);
  });
}

function remove(state: ApplyState, operation: Operation<"remove">): ApplyOutcome {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const current = fs.lstat(path);
  if (current === undefined) return GONE;
  if (!isExpected(state, operation)) return { kind: "changed" };
  if (current.kind !== "directory") {
    const kept =
      operation.expected === "absent" ? undefined : keepExpected(state, operation.diskPath, operation.expected);
    if (kept?.kind !== "kept") return { kind: "changed" };
    fs.unlink(path);
    return { kind: "applied", signature: undefined, trashed: kept.trashed, touched: false };
  }
  try {
    fs.removeDirectory(path);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) return { kind: "not-empty" };
    throw error;
  }
  state.parents.forget(operation.diskPath);
  return GONE;
}
