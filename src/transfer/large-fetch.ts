// One file of several chunks on its way into staging: which chunks are there, asked for, or still to be asked for.
//
// Invariant: a chunk counts as staged only after its bytes were verified and written (by the `stage` job).

import { contentIdOf, parseManifest, type Manifest } from "../content/manifest.ts";
import type { ContentHash } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { IndexStore } from "../index/index-store.ts";
import { ownBufferOf, type ChunkMessage, type FetchItem } from "../pool/messages.ts";
import { splitByBytes } from "./content-server.ts";
import type { StagePiece, StageSource } from "./stage-job.ts";

/** Bytes of chunks that one `stage` job copies or verifies. */
const LOCAL_JOB_BYTES = 4 * 1024 * 1024;

export interface LargeFetchOptions {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly toDisk: (path: RelativePath) => string;
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  readonly size: number;
  /** It is known which chunks have to come from peers. */
  readonly onNeeds: () => void;
}

interface Chunk {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
  readonly hash: ContentHash;
}

export class LargeFetch {
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  readonly size: number;
  readonly #options: LargeFetchOptions;
  #chunks: readonly Chunk[] | undefined;
  readonly #byOffset = new Map<number, Chunk>();
  /** Chunks to ask for; the next one is the last. */
  #needed: Chunk[] = [];
  readonly #staged = new Set<ContentHash>();
  #staging: Promise<unknown> = Promise.resolve();
  #chunksLeft = 0;
  #bytesDone = 0;
  isCancelled = false;

  constructor(options: LargeFetchOptions) {
    this.#options = options;
    this.path = options.path;
    this.contentId = options.contentId;
    this.size = options.size;
  }

  get hasManifest(): boolean {
    return this.#chunks !== undefined;
  }

  get needsChunks(): boolean {
    return this.#needed.length > 0;
  }

  get isComplete(): boolean {
    return this.#chunks !== undefined && this.#chunksLeft === 0;
  }

  /** Bytes that are verified in staging. */
  get bytesDone(): number {
    return this.#bytesDone;
  }

  isStaged(chunk: ContentHash): boolean {
    return this.#staged.has(chunk);
  }

  /** Takes the manifest from the index or a peer; false if it is not the one that the content ID names. */
  acceptManifest(encoded: Uint8Array): boolean {
    const manifest = parseManifest(encoded);
    if (manifest === undefined || contentIdOf(manifest) !== this.contentId) return false;
    const chunks = chunksOf(manifest);
    const last = chunks.at(-1);
    if (last === undefined || last.offset + last.length !== this.size) return false;
    this.#options.store.putManifest(this.contentId, encoded);
    this.#chunks = chunks;
    for (const chunk of chunks) this.#byOffset.set(chunk.offset, chunk);
    this.#chunksLeft = chunks.length;
    return true;
  }

  /**
   * Takes what is on this disk already: chunks staged before a restart, and chunks of other files (mostly of the old
   * version). The rest is what `takeItems` hands out.
   */
  async useLocalChunks(mayBeStaged: boolean): Promise<Problem | undefined> {
    let missing: readonly Chunk[] = this.#chunks ?? [];
    if (mayBeStaged) {
      const result = await this.#stage(missing.map((chunk) => [chunk, { kind: "staged" }]));
      if (result.problem !== undefined) return result.problem;
      missing = result.missing;
    }
    const local: [Chunk, StageSource][] = [];
    for (const chunk of missing) {
      const source = this.#findLocally(chunk);
      if (source === undefined) this.#needed.push(chunk);
      else local.push([chunk, source]);
    }
    this.#sortNeeded();
    // Peers are asked for the rest while this is copied.
    this.#options.onNeeds();
    const result = await this.#stageLocal(local);
    this.#needed.push(...result.missing);
    this.#sortNeeded();
    return result.problem;
  }

  /** Hands out chunks to ask a peer for, up to `bytesMax` (at least one). */
  takeItems(bytesMax: number): readonly FetchItem[] {
    const items: FetchItem[] = [];
    let bytes = 0;
    for (let chunk = this.#needed.at(-1); chunk !== undefined; chunk = this.#needed.at(-1)) {
      if (items.length > 0 && bytes + chunk.length > bytesMax) break;
      this.#needed.pop();
      bytes += chunk.length;
      const { offset, length, hash } = chunk;
      items.push({ path: this.path, contentId: this.contentId, offset, length, hash });
    }
    return items;
  }

  /** Takes back items that were not answered. */
  returnItems(items: readonly FetchItem[]): void {
    for (const { offset } of items) {
      const chunk = this.#byOffset.get(offset);
      if (chunk !== undefined) this.#needed.push(chunk);
    }
  }

  /** Stages what a peer sent. `wrong`: it sent bytes that are not what their hash says. */
  async receive(
    items: readonly FetchItem[],
    answers: readonly ChunkMessage[],
  ): Promise<{ readonly problem: Problem | undefined; readonly gone: boolean; readonly wrong: boolean }> {
    const received: [Chunk, StageSource][] = [];
    const gone: FetchItem[] = [];
    for (const [position, item] of items.entries()) {
      const answer = answers[position];
      const chunk = this.#byOffset.get(item.offset);
      if (chunk === undefined) continue;
      if (answer === undefined || answer.encoding === "gone") gone.push(item);
      else received.push([chunk, { kind: "bytes", encoding: answer.encoding, payload: answer.payload }]);
    }
    const { problem, missing } = await this.#stage(received);
    this.returnItems(gone);
    this.#needed.push(...missing);
    return { problem, gone: gone.length > 0, wrong: problem === undefined && missing.length > 0 };
  }

  #sortNeeded(): void {
    this.#needed.sort((a, b) => b.index - a.index);
  }

  #findLocally(chunk: Chunk): StageSource | undefined {
    const { store, toDisk } = this.#options;
    const found = store.chunkLocation(chunk.hash);
    if (found === undefined) return undefined;
    for (const location of store.locationsOf(found.contentId)) {
      const diskPath = location.kind === "trash" ? location.diskPath : toDisk(location.path);
      return { kind: "local", diskPath, offset: found.offset };
    }
    return undefined;
  }

  /** One job at a time: two writers of one file only wait for each other in the kernel. */
  #stage(pieces: readonly (readonly [Chunk, StageSource])[]): Promise<StageOutcome> {
    const runs = splitByBytes(pieces.map(toPiece), LOCAL_JOB_BYTES).values();
    const staged = this.#staging.then(() => this.#stageRuns(runs));
    this.#staging = staged;
    return staged;
  }

  /** Two jobs at a time: while one writes, the other one reads and hashes. */
  async #stageLocal(pieces: readonly (readonly [Chunk, StageSource])[]): Promise<StageOutcome> {
    const runs = splitByBytes(pieces.map(toPiece), LOCAL_JOB_BYTES).values();
    const [one, other] = await Promise.all([this.#stageRuns(runs), this.#stageRuns(runs)]);
    return { missing: [...one.missing, ...other.missing], problem: one.problem ?? other.problem };
  }

  async #stageRuns(runs: Iterable<readonly ChunkPiece[]>): Promise<StageOutcome> {
    const { jobs, root } = this.#options;
    const missing: Chunk[] = [];
    let problem: Problem | undefined;
    for (const run of runs) {
      if (this.isCancelled) break;
      const result = await jobs.run(
        "stage",
        { root, contentId: this.contentId, pieces: run.map(({ piece }) => piece) },
        { transfer: ownedBuffers(run.map(({ piece }) => piece)) },
      );
      problem ??= result.problem;
      for (const [position, { chunk }] of run.entries()) {
        if (result.staged[position] === true) this.#noteStaged(chunk);
        else missing.push(chunk);
      }
    }
    return { missing, problem };
  }

  #noteStaged(chunk: Chunk): void {
    this.#staged.add(chunk.hash);
    this.#chunksLeft--;
    this.#bytesDone += chunk.length;
  }
}

/** Chunks that are not staged, and why something could not be written. */
interface StageOutcome {
  readonly missing: readonly Chunk[];
  readonly problem: Problem | undefined;
}

/** A chunk with what the job is asked to do with it. */
interface ChunkPiece {
  readonly chunk: Chunk;
  readonly piece: StagePiece;
  readonly length: number;
}

function toPiece([chunk, source]: readonly [Chunk, StageSource]): ChunkPiece {
  const { offset, length, hash } = chunk;
  return { chunk, piece: { offset, length, hash, source }, length };
}

/** Memory that moves to the worker instead of being copied. */
function ownedBuffers(pieces: readonly StagePiece[]): ArrayBuffer[] {
  return pieces.flatMap(({ source }) => {
    const buffer = source.kind === "bytes" ? ownBufferOf(source.payload) : undefined;
    return buffer === undefined ? [] : [buffer];
  });
}

function chunksOf(manifest: Manifest): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let offset = 0;
  for (let index = 0; index < manifest.count; index++) {
    const length = manifest.lengthOf(index);
    chunks.push({ index, offset, length, hash: manifest.hashOf(index) });
    offset += length;
  }
  return chunks;
}
