// What the operations of one `apply` job share.

import type { JobContext } from "../edge/job-context.ts";
import { signatureOf, signaturesEqual } from "../index/signature.ts";
import type { ApplyOutcome, Expected } from "./apply-operation.ts";
import { absolutePath } from "./disk-layout.ts";
import type { ParentGuard } from "./parent-guard.ts";
import type { TrashBatch } from "./trash-batch.ts";

export interface ApplyState {
  readonly context: JobContext;
  readonly root: string;
  readonly trash: TrashBatch;
  readonly parents: ParentGuard;
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

/** The outcome of a path that is in its place, with the signature that it has there. */
export function applied(state: ApplyState, diskPath: string, trashed: string | undefined): ApplyOutcome {
  const current = state.context.fs.lstat(absolutePath(state.root, diskPath));
  const signature = current === undefined ? undefined : signatureOf(current);
  return { kind: "applied", signature, trashed, touched: current === undefined };
}
