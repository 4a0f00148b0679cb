// The `hash` job: chunks and hashes files in one pass, and notices those that change meanwhile.

import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { contentHash, type Blake3 } from "./blake3.ts";
import { chunkFile } from "./chunk-file.ts";
import { KnownChunks } from "./known-chunks.ts";
import { contentIdOf } from "./manifest.ts";
import { readBuffer } from "./read-buffer.ts";
import { Detours, readSettled, UNSETTLED, type OpenedFile, type ReadProblem, type Unsettled } from "./settled-file.ts";

export interface HashRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Disk paths relative to `root`. */
  readonly files: readonly string[];
  /** Files up to this size come back with their content. 0: none. */
  readonly inlineBytesMax: number;
  /** Encoded manifests of what files held when they were read last, by file. They matter for speed alone. */
  readonly known?: ReadonlyMap<string, Uint8Array>;
}

/** One outcome per requested file, in order. */
export interface HashResult {
  readonly outcomes: readonly HashOutcome[];
}

export type HashOutcome = HashedFile | Unsettled | ReadProblem;

export interface HashedFile {
  readonly kind: "hashed";
  readonly contentId: ContentHash;
  /** Encoded manifest (see manifest.ts) if the content has more than one chunk. */
  readonly manifest: Uint8Array | undefined;
  /** Equal before and after reading. */
  readonly signature: StatSignature;
  /** The whole content, if it is small enough. */
  readonly inline: Uint8Array | undefined;
}

interface HashWork {
  readonly fs: FileSystem;
  readonly blake3: Blake3;
  readonly request: HashRequest;
}

type HashedContent = Pick<HashedFile, "contentId" | "manifest" | "inline">;

/** Never throws: what is wrong with one file is its outcome. */
export function hashFiles(fs: FileSystem, blake3: Blake3, request: HashRequest): HashResult {
  const work = { fs, blake3, request };
  const outcomes = request.files.map((file) => hashFile(work, file));
  const detours = new Detours(fs, request.root);
  return { outcomes: outcomes.map((outcome, index) => withoutDetour(detours, request.files[index] ?? "", outcome)) };
}

function withoutDetour(detours: Detours, file: string, outcome: HashOutcome): HashOutcome {
  return outcome.kind !== "unsettled" && detours.leadTo(file) ? UNSETTLED : outcome;
}

function hashFile(work: HashWork, file: string): HashOutcome {
  const { fs, request } = work;
  return readSettled(fs, `${request.root}/${file}`, (opened): HashedFile | undefined => {
    const content = hashContent(work, opened, request.known?.get(file));
    return content && { kind: "hashed", ...content, signature: opened.signature };
  });
}

/** Reads what was there when it was opened and no more, however fast the file grows. */
function hashContent(
  { fs, blake3, request }: HashWork,
  opened: OpenedFile,
  manifest: Uint8Array | undefined,
): HashedContent | undefined {
  const { size } = opened.signature;
  if (size > CHUNK_SIZE_BYTES_MIN) return hashInChunks(blake3, opened, new KnownChunks(manifest));
  const bytes = readBuffer(CHUNK_SIZE_BYTES_MIN).subarray(0, size);
  if (fs.read(opened.descriptor, bytes, 0) < size) return undefined;
  const { inlineBytesMax } = request;
  return {
    contentId: contentHash(bytes, blake3),
    manifest: undefined,
    inline: inlineBytesMax > 0 && size <= inlineBytesMax ? bytes.slice() : undefined,
  };
}

function hashInChunks(blake3: Blake3, opened: OpenedFile, known: KnownChunks): HashedContent | undefined {
  const builder = chunkFile(opened, { blake3, known, from: 0, to: opened.signature.size });
  if (builder === undefined) return undefined;
  const manifest = { encoded: builder.encoded(), count: builder.count };
  return {
    contentId: contentIdOf(manifest, blake3),
    manifest: manifest.count === 1 ? undefined : manifest.encoded,
    inline: undefined,
  };
}
