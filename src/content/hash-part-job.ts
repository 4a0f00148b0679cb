// The `hashPart` job: chunks and hashes a part of a large file. What makes the parts one content is hash-in-parts.ts.

import type { FileSystem } from "../edge/file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signaturesEqual } from "../index/signature.ts";
import type { Blake3 } from "./blake3.ts";
import { chunkFile } from "./chunk-file.ts";
import { KnownChunks } from "./known-chunks.ts";
import { Detours, readSettled, UNSETTLED, type ReadProblem, type Unsettled } from "./settled-file.ts";

export interface HashPartRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Disk path relative to `root`. */
  readonly file: string;
  /** The file that all parts are of. */
  readonly signature: StatSignature;
  /** Bytes from the start of the file: the first chunk begins here, whatever was before. */
  readonly from: number;
  /** No more is read than up to here, at most the file's size. */
  readonly to: number;
  /** Of an encoded manifest, what may come from `from` on. It matters for speed alone. */
  readonly known: Uint8Array | undefined;
}

/** If it is `hashed`, the file had its signature before and after reading. */
export type HashPartResult = HashedPart | Unsettled | ReadProblem;

export interface HashedPart {
  readonly kind: "hashed";
  /** Encoded like a manifest: the chunks from `from` on that end before or at `to`. */
  readonly chunks: Uint8Array;
}

/** Never throws. */
export function hashPart(fs: FileSystem, blake3: Blake3, request: HashPartRequest): HashPartResult {
  const { root, file, signature, from, to } = request;
  const result = readSettled(fs, `${root}/${file}`, (opened): HashedPart | undefined => {
    if (!signaturesEqual(opened.signature, signature)) return undefined;
    const chunks = chunkFile(opened, { blake3, known: new KnownChunks(request.known), from, to });
    return chunks && { kind: "hashed", chunks: chunks.encoded() };
  });
  return new Detours(fs, root).leadTo(file) ? UNSETTLED : result;
}
