// The `hash` job: chunks and hashes files in one pass, and notices those that change meanwhile.

import type { Problem } from "../core/problem.ts";
import type { ContentHash } from "../core/ids.ts";
import type { StatSignature } from "../index/entry.ts";

export interface HashRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Disk paths relative to `root`. */
  readonly files: readonly string[];
  /** Files up to this size come back with their content. 0: none. */
  readonly inlineBytesMax: number;
}

/** One outcome per requested file, in order. */
export interface HashResult {
  readonly outcomes: readonly HashOutcome[];
}

export type HashOutcome =
  | {
      readonly kind: "hashed";
      readonly contentId: ContentHash;
      /** Encoded manifest (see manifest.ts) if the content has more than one chunk. */
      readonly manifest: Uint8Array | undefined;
      /** Equal before and after reading. */
      readonly signature: StatSignature;
      /** The whole content, if it is small enough. */
      readonly inline: Uint8Array | undefined;
    }
  /** It changed while it was read, vanished, or is no regular file any more: look again later. */
  | { readonly kind: "unsettled" }
  | { readonly kind: "problem"; readonly problem: Problem };
