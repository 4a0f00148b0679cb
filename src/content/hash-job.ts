// The `hash` job: chunks and hashes files in one pass, and notices those that change meanwhile.

import { errnoOf } from "../core/errors.ts";
import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MAX, CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import { problemOf } from "../core/problem-of.ts";
import type { Problem } from "../core/problem.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf, signaturesEqual } from "../index/signature.ts";
import { contentHash, type Blake3 } from "./blake3.ts";
import { nextCut } from "./chunker.ts";
import { KnownChunks } from "./known-chunks.ts";
import { contentIdOf, ManifestBuilder } from "./manifest.ts";
import { readBuffer } from "./read-buffer.ts";

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

/** Twice the largest chunk: with more (measured up to 8 MiB) nothing is faster, with less every chunk would be moved. */
const READ_BYTES = 2 * CHUNK_SIZE_BYTES_MAX;

interface HashWork {
  readonly fs: FileSystem;
  readonly blake3: Blake3;
  readonly request: HashRequest;
}

type Hashed = Extract<HashOutcome, { kind: "hashed" }>;
type HashedContent = Pick<Hashed, "contentId" | "manifest" | "inline">;

const UNSETTLED: HashOutcome = { kind: "unsettled" };

/** What opening a path says when it is gone or no regular file any more: a change, no problem. */
const CHANGED_CODES: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EMLINK", "EISDIR", "ENXIO"]);

/** Never throws: what is wrong with one file is its outcome. */
export function hashFiles(fs: FileSystem, blake3: Blake3, request: HashRequest): HashResult {
  const work = { fs, blake3, request };
  const outcomes = request.files.map((file) => hashFile(work, file));
  return { outcomes: withoutDetours(work, outcomes) };
}

function hashFile(work: HashWork, file: string): HashOutcome {
  const { fs, request } = work;
  const path = `${request.root}/${file}`;
  let descriptor: number | undefined;
  try {
    descriptor = fs.openForReading(path);
    const before = signatureOf(fs.fstat(descriptor));
    if (before?.kind !== "file") return UNSETTLED;
    const content = hashContent(work, descriptor, before, request.known?.get(file));
    if (content === undefined) return UNSETTLED;
    // One look tells both that the path is still this file (its inode) and that nobody wrote to it (the rest).
    const after = fs.lstat(path);
    if (after === undefined || !signaturesEqual(before, signatureOf(after))) return UNSETTLED;
    return { kind: "hashed", ...content, signature: before };
  } catch (error) {
    if (CHANGED_CODES.has(errnoOf(error) ?? "")) return UNSETTLED;
    return { kind: "problem", problem: problemOf("read", error) };
  } finally {
    if (descriptor !== undefined) fs.close(descriptor);
  }
}

/** Reads what was there `before` and no more, however fast the file grows; `undefined` if it is another by now. */
function hashContent(
  work: HashWork,
  descriptor: number,
  before: StatSignature,
  manifest: Uint8Array | undefined,
): HashedContent | undefined {
  const { size } = before;
  if (size > CHUNK_SIZE_BYTES_MIN) return hashInChunks(work, descriptor, before, new KnownChunks(manifest));
  const bytes = readBuffer(CHUNK_SIZE_BYTES_MIN).subarray(0, size);
  if (work.fs.read(descriptor, bytes, 0) < size) return undefined;
  const { inlineBytesMax } = work.request;
  return {
    contentId: contentHash(bytes, work.blake3),
    manifest: undefined,
    inline: inlineBytesMax > 0 && size <= inlineBytesMax ? bytes.slice() : undefined,
  };
}

function hashInChunks(
  work: HashWork,
  descriptor: number,
  before: StatSignature,
  known: KnownChunks,
): HashedContent | undefined {
  const { size } = before;
  const buffer = readBuffer(READ_BYTES);
  const builder = new ManifestBuilder();
  let position = 0;
  // Read, and not in a chunk yet: `start` to `end` of the buffer.
  let start = 0;
  let end = 0;
  while (position < size) {
    const target = buffer.subarray(end, end + Math.min(buffer.length - end, size - position));
    if (work.fs.read(descriptor, target, position) < target.length) return undefined;
    // Whoever writes it is not done: the rest would be read in vain.
    if (!signaturesEqual(before, signatureOf(work.fs.fstat(descriptor)))) return undefined;
    position += target.length;
    end += target.length;
    while (start < end) {
      const guessed = known.guess(size - position + end - start);
      const cut = guessed === undefined ? nextCut(buffer, start, end, position === size) : start + guessed;
      // The rest of the chunk is to be read.
      if (cut === undefined || cut > end) break;
      const hash = work.blake3.hash(buffer.subarray(start, cut));
      if (guessed === undefined) known.noteCut(hash);
      else if (!known.confirm(hash)) continue;
      builder.add(hash, cut - start);
      start = cut;
    }
    buffer.copyWithin(0, start, end);
    end -= start;
    start = 0;
  }
  const manifest = { encoded: builder.encoded(), count: builder.count };
  return {
    contentId: contentIdOf(manifest, work.blake3),
    manifest: manifest.count === 1 ? undefined : manifest.encoded,
    inline: undefined,
  };
}

/**
 * A directory above a file may have been replaced by a symlink since the request was made: then something outside the
 * folder was read, and nobody must hear of it. Looking afterwards covers the whole time of the job.
 */
function withoutDetours(work: HashWork, outcomes: readonly HashOutcome[]): readonly HashOutcome[] {
  const known = new Map<string, boolean>();
  return outcomes.map((outcome, index) => {
    const inside = outcome.kind === "unsettled" || isInside(work, work.request.files[index] ?? "", known);
    return inside ? outcome : UNSETTLED;
  });
}

/** True if everything between the root and `path` is a directory, and no symlink. */
function isInside(work: HashWork, path: string, known: Map<string, boolean>): boolean {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return true;
  const parent = path.slice(0, slash);
  let inside = known.get(parent);
  if (inside === undefined) {
    inside = isInside(work, parent, known) && isDirectory(work.fs, `${work.request.root}/${parent}`);
    known.set(parent, inside);
  }
  return inside;
}

function isDirectory(fs: FileSystem, path: string): boolean {
  try {
    return fs.lstat(path)?.kind === "directory";
  } catch {
    return false;
  }
}
