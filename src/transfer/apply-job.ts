// The `apply` job: brings the disk from what it holds to what is known, one path after the other.
//
// Invariants:
// 1. At every instant a path holds the complete old or the complete new content: new content is put together in staging,
//    verified, and renamed into place.
// 2. Nothing is replaced or removed unless the path still is what the index expects: otherwise a person changed it, and
//    merge decides. What is replaced or removed is in the trash first.
// 3. Nothing is reached through a symlink: every parent is checked to be a directory.

import { assertNever } from "../core/assert.ts";
import type { ContentHash } from "../core/ids.ts";
import { errnoOf } from "../core/errors.ts";
import { problemOf } from "../core/problem-of.ts";
import type { Problem } from "../core/problem.ts";
import type { JobContext } from "../edge/job-context.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf, signaturesEqual } from "../index/signature.ts";
import { absolutePath } from "./disk-layout.ts";
import { ParentGuard } from "./parent-guard.ts";
import { moveFile, placeFile, placeSymlink } from "./place.ts";
import { TrashBatch } from "./trash-batch.ts";

export interface ApplyRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Name of the trash batch that this job may fill; `undefined`: no trash is kept. */
  readonly trashBatch: string | undefined;
  /** Never used twice while the instance runs: names temporary files. */
  readonly jobId: number;
  readonly operations: readonly ApplyOperation[];
}

/** What the index says is at the path now. */
export type Expected = StatSignature | "absent";

/** Disk paths are relative to the folder. */
export type ApplyOperation = { readonly diskPath: string; readonly expected: Expected } & (
  | { readonly kind: "directory"; readonly mode: number }
  | FileOperation
  | MoveOperation
  | { readonly kind: "symlink"; readonly target: string }
  /** The same content with another mode or time. */
  | { readonly kind: "metadata"; readonly mode: number; readonly mtimeUs: number | undefined }
  | { readonly kind: "remove" }
);

export interface FileOperation {
  readonly kind: "file";
  readonly contentId: ContentHash;
  readonly size: number;
  readonly mode: number;
  readonly mtimeUs: number;
  readonly source: FileSource;
}

export type FileSource =
  /** The whole content, a single chunk, not verified yet. */
  | { readonly kind: "bytes"; readonly encoding: "raw" | "lz4"; readonly payload: Uint8Array }
  /** Every chunk is verified in staging. */
  | { readonly kind: "staged" }
  /** A file of this folder that should hold the same content. */
  | { readonly kind: "copy"; readonly diskPath: string };

/** A rename on this disk. */
export interface MoveOperation {
  readonly kind: "move";
  readonly from: string;
  readonly fromSignature: StatSignature;
  readonly mode: number;
  readonly mtimeUs: number;
}

/** One outcome per operation, in order. */
export interface ApplyResult {
  readonly outcomes: readonly ApplyOutcome[];
}

export type ApplyOutcome =
  /** `signature`: what is at the path now. `trashed`: where the old content is, relative to the folder. */
  | {
      readonly kind: "applied";
      readonly signature: StatSignature | undefined;
      readonly trashed: string | undefined;
      /** Somebody touched it right after it was put in place: look again. */
      readonly touched: boolean;
    }
  /** The path (or a parent) is not what the index expects: scan it first. */
  | { readonly kind: "changed" }
  /** The content is not what it should be: fetch it (again). */
  | { readonly kind: "damaged" }
  /** A directory that still holds something. */
  | { readonly kind: "not-empty" }
  | { readonly kind: "problem"; readonly problem: Problem };

/** What the operations of one job share. */
export interface ApplyState {
  readonly context: JobContext;
  readonly root: string;
  readonly trash: TrashBatch;
  readonly parents: ParentGuard;
  /** A fresh name in staging. */
  temporaryPath(): string;
}

export function applyOperations(context: JobContext, request: ApplyRequest): ApplyResult {
  const { root, jobId } = request;
  let temporaries = 0;
  const state: ApplyState = {
    context,
    root,
    trash: new TrashBatch(context.fs, root, request.trashBatch),
    parents: new ParentGuard(context.fs, root),
    temporaryPath: () => absolutePath(root, `.dsync/staging/new-${jobId}-${temporaries++}`),
  };
  return { outcomes: request.operations.map((operation) => applyOne(state, operation)) };
}

function applyOne(state: ApplyState, operation: ApplyOperation): ApplyOutcome {
  try {
    if (!state.parents.hold(operation.diskPath)) return { kind: "changed" };
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

type Operation<Kind extends ApplyOperation["kind"]> = Extract<ApplyOperation, { kind: Kind }>;

function makeDirectory(state: ApplyState, operation: Operation<"directory">): ApplyOutcome {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const current = fs.lstat(path);
  let trashed: string | undefined;
  if (current?.kind !== "directory") {
    if (!isExpected(state, operation)) return { kind: "changed" };
    if (current !== undefined) trashed = state.trash.take(operation.diskPath);
    fs.makeDirectory(path, operation.mode);
  }
  // A directory that is there already, for whatever reason, is what is wanted: directories merge.
  if (fs.lstat(path)?.mode !== operation.mode) fs.setMode(path, operation.mode);
  return applied(state, operation.diskPath, trashed);
}

function setMetadata(state: ApplyState, operation: Operation<"metadata">): ApplyOutcome {
  if (!isExpected(state, operation)) return { kind: "changed" };
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  if (operation.expected !== "absent" && operation.expected.mode !== operation.mode) fs.setMode(path, operation.mode);
  if (operation.mtimeUs !== undefined) fs.setTimes(path, operation.mtimeUs);
  return applied(state, operation.diskPath, undefined);
}

function remove(state: ApplyState, operation: Operation<"remove">): ApplyOutcome {
  const { fs } = state.context;
  const path = absolutePath(state.root, operation.diskPath);
  const current = fs.lstat(path);
  if (current === undefined) return { kind: "applied", signature: undefined, trashed: undefined, touched: false };
  if (!isExpected(state, operation)) return { kind: "changed" };
  if (current.kind !== "directory") {
    const trashed = state.trash.take(operation.diskPath);
    return { kind: "applied", signature: undefined, trashed, touched: false };
  }
  try {
    fs.removeDirectory(path);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) return { kind: "not-empty" };
    throw error;
  }
  state.parents.forget(operation.diskPath);
  return { kind: "applied", signature: undefined, trashed: undefined, touched: false };
}

/** True if the path still is what the index expects. */
export function isExpected(state: ApplyState, operation: { diskPath: string; expected: Expected }): boolean {
  const current = state.context.fs.lstat(absolutePath(state.root, operation.diskPath));
  if (current === undefined || operation.expected === "absent") {
    return current === undefined && operation.expected === "absent";
  }
  return signaturesEqual(signatureOf(current), operation.expected);
}

/** The outcome of a path that is in its place, with the signature that it has there. */
export function applied(state: ApplyState, diskPath: string, trashed: string | undefined): ApplyOutcome {
  const current = state.context.fs.lstat(absolutePath(state.root, diskPath));
  const signature = current === undefined ? undefined : signatureOf(current);
  return { kind: "applied", signature, trashed, touched: current === undefined };
}
