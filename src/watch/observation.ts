// What a scan found to differ from the index: facts about this disk. What they mean is decided by whoever receives them.

import type { RelativePath } from "../core/path.ts";
import type { Content, StatSignature } from "../index/entry.ts";

/** One fact about one path, seen while the folder was proven to be the same. */
export type Observation =
  /** Something else than the index says: new, edited, or of another kind. */
  | {
      readonly kind: "present";
      readonly path: RelativePath;
      readonly content: Content;
      readonly signature: StatSignature;
      /** Encoded manifest, if the content was read just now and has more than one chunk. */
      readonly manifest: Uint8Array | undefined;
      /** The whole content, if it was read just now and is small enough. */
      readonly inline: Uint8Array | undefined;
      /** The content was recognised as this path's, which is gone or holds something else now. */
      readonly movedFrom: RelativePath | undefined;
    }
  /** What the index says, under another signature: only that is to be stored. */
  | { readonly kind: "touched"; readonly path: RelativePath; readonly signature: StatSignature }
  /** Nothing, where the index has something. */
  | { readonly kind: "absent"; readonly path: RelativePath }
  /** Nothing, where the index has a deleted directory that had stayed: its residue mark no longer holds. */
  | { readonly kind: "residue-gone"; readonly path: RelativePath };
