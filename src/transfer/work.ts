// An operation with what it is for.

import type { RelativePath } from "../core/path.ts";
import type { Entry } from "../index/entry.ts";
import type { ApplyOperation } from "./apply-operation.ts";
import type { Source } from "./source.ts";

export interface Work {
  readonly path: RelativePath;
  readonly operation: ApplyOperation;
  /** What the path will hold. */
  readonly target: Entry;
  readonly movedFrom: RelativePath | undefined;
  /** Who sent the content that the operation brings, if a peer was asked for it. */
  readonly sender?: Source | undefined;
}
