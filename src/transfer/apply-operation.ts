// What the `apply` job is asked to do, and what it answers: values that survive a structured clone.

import type { ContentHash } from "../core/ids.ts";
import type { Problem } from "../core/problem.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { StatSignature } from "../index/entry.ts";

export interface ApplyRequest {
  readonly identity: RootIdentity;
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

/** `applied`: one outcome per operation, in order. `root-changed`: not the folder that it was, and nothing was done. */
export type ApplyResult =
  | { readonly kind: "applied"; readonly outcomes: readonly ApplyOutcome[] }
  | { readonly kind: "root-changed" };

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
