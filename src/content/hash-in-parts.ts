// Hashes a large file in parts, two of them at a time: a job each, so short that no worker is held up by it. On a disk on
// which they are not short there is one at a time, as with any long job.
//
// Two runs of chunks: one begins at the start, the other one near the middle, as if a chunk ended there. Where a chunk ends
// depends on nothing but its own bytes. So from the first place on where chunks of both begin, both are the same: the
// content is the first run up to there, and then the second one. Often that is where the second one begins.
//
// Invariant: all parts are of one file that nobody wrote to: each job found the same signature before and after reading.

import { CHUNK_SIZE_BYTES_MAX, HASH_PART_BYTES, MANIFEST_CHUNKS_MAX, MANIFEST_ITEM_BYTES } from "../core/limits.ts";
import { problemOf } from "../core/problem-of.ts";
import type { StatSignature } from "../index/entry.ts";
import { ChunkRun, type ChunkPlace } from "./chunk-run.ts";
import type { HashOutcome } from "./hash-job.ts";
import type { HashPartRequest, HashPartResult } from "./hash-part-job.ts";
import { contentIdOf, parseManifest, TooManyChunks, type Manifest } from "./manifest.ts";
import { UNSETTLED, type ReadProblem, type Unsettled } from "./settled-file.ts";

/** A file as it was looked at. */
export interface LargeFile {
  /** Absolute disk path of the folder. */
  readonly root: string;
  /** Disk path relative to `root`. */
  readonly file: string;
  readonly signature: StatSignature;
  /** Encoded manifest of what it held when it was read last. It matters for speed alone. */
  readonly known: Uint8Array | undefined;
}

export type RunPart = (request: HashPartRequest) => Promise<HashPartResult>;

export interface HashInPartsOptions {
  /** At least CHUNK_SIZE_BYTES_MAX. */
  readonly partBytes?: number;
  /** Asked after the first part: false leaves one thread to others, and there is one run alone. */
  readonly mayUseTwo?: () => boolean;
}

/** What the first run reads at a time where it has passed the second one's start: mostly they meet after a few chunks. */
const SEAM_BYTES = 4 * CHUNK_SIZE_BYTES_MAX;

/** Comes to what the `hash` job says of the same file. Rejects if a job does, with nothing new begun. */
export async function hashInParts(
  runPart: RunPart,
  large: LargeFile,
  { partBytes = HASH_PART_BYTES, mayUseTwo = () => true }: HashInPartsOptions = {},
): Promise<HashOutcome> {
  const { signature, known } = large;
  const { size } = signature;
  const middle = middleOf(known, size);
  const first = new ChunkRun({ offset: 0, index: 0 }, known);
  const second = new ChunkRun(middle, known);
  const reader = new PartReader(runPart, large);
  await reader.read(first, { to: Math.min(partBytes, middle.offset), partBytes });
  if (mayUseTwo()) {
    await Promise.all([
      reader.read(first, { to: middle.offset, partBytes }),
      reader.read(second, { to: size, partBytes }),
    ]);
  } else await reader.read(first, { to: size, partBytes });
  const isMet = (end: number): boolean => second.countBefore(end) !== undefined;
  await reader.read(first, { to: size, partBytes: SEAM_BYTES, isEnough: isMet });
  if (reader.failure !== undefined) return reader.failure;
  const manifest = joined(first, second, second.countBefore(first.end) ?? second.count);
  if (manifest.count > MANIFEST_CHUNKS_MAX) return { kind: "problem", problem: problemOf("read", new TooManyChunks()) };
  return {
    kind: "hashed",
    contentId: contentIdOf(manifest),
    manifest: manifest.count === 1 ? undefined : manifest.encoded,
    signature,
    inline: undefined,
  };
}

/** Where the second run begins: at a known chunk, since those around it are mostly as they were. */
function middleOf(known: Uint8Array | undefined, size: number): ChunkPlace {
  const manifest = known === undefined ? undefined : parseManifest(known);
  const count = manifest?.count ?? 0;
  let offset = 0;
  for (let index = 0; index < count && offset < size; index++) {
    if (2 * offset >= size) return { offset, index };
    offset += manifest?.lengthOf(index) ?? 0;
  }
  // Equal bytes are cut at the largest size.
  return { offset: Math.floor(size / 2 / CHUNK_SIZE_BYTES_MAX) * CHUNK_SIZE_BYTES_MAX, index: count };
}

/** The first run, and what is in the second one from its chunk `index` on. */
function joined(first: ChunkRun, second: ChunkRun, index: number): Pick<Manifest, "encoded" | "count"> {
  const encoded = new Uint8Array(
    Buffer.concat([first.encoded(), second.encoded().subarray(index * MANIFEST_ITEM_BYTES)]),
  );
  return { encoded, count: encoded.length / MANIFEST_ITEM_BYTES };
}

interface Extent {
  /** Bytes from the start of the file. */
  readonly to: number;
  readonly partBytes: number;
  /** Asked with the place where each chunk ends; true: it need not go on from there. */
  readonly isEnough?: (end: number) => boolean;
}

/** Has one part after the other read, until one of them fails. */
class PartReader {
  readonly #runPart: RunPart;
  readonly #large: LargeFile;
  failure: Unsettled | ReadProblem | undefined;

  constructor(runPart: RunPart, large: LargeFile) {
    this.#runPart = runPart;
    this.#large = large;
  }

  /** Extends the run up to where no more chunks end before `to`. */
  async read(run: ChunkRun, { to, partBytes, isEnough = () => false }: Extent): Promise<void> {
    const { root, file, signature } = this.#large;
    while (this.failure === undefined && run.end < to && run.count <= MANIFEST_CHUNKS_MAX && !isEnough(run.end)) {
      const part = { from: run.end, to: Math.min(run.end + partBytes, to), known: run.expected() };
      const result = await this.#guarded({ root, file, signature, ...part });
      if (result.kind !== "hashed") this.failure ??= result;
      else if (result.chunks.length === 0) return;
      else run.add(result.chunks, isEnough);
    }
  }

  /** If a job is lost, nobody waits for what else is read. */
  async #guarded(request: HashPartRequest): Promise<HashPartResult> {
    try {
      return await this.#runPart(request);
    } catch (error) {
      this.failure ??= UNSETTLED;
      throw error;
    }
  }
}
