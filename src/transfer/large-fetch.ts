// One file of several chunks on its way into staging: which chunks are there, asked for, or still to be asked for.
//
// Invariant: a chunk counts as staged only after its bytes were verified and written (by the `stage` job).

import { contentIdOf, parseManifest, type Manifest } from "../content/manifest.ts";
import type { ContentHash, PeerId } from "../core/ids.ts";
import { SHARED_FETCH_BYTES_MIN, SHARED_FETCH_PATIENCE_MS } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { problemOf } from "../core/problem-of.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner, Jobs } from "../edge/jobs.ts";
import type { IndexStore } from "../index/index-store.ts";
import { ownBufferOf, type ChunkMessage, type FetchItem } from "../pool/messages.ts";
import { ChunkPicker } from "./chunk-picker.ts";
import { splitByBytes } from "./content-server.ts";
import { LocalChunks } from "./local-chunks.ts";
import type { StagePiece, StageSource } from "./stage-job.ts";

/** Bytes of chunks that one `stage` job copies or verifies. */
const LOCAL_JOB_BYTES = 4 * 1024 * 1024;

export interface LargeFetchOptions {
  readonly ownId: PeerId;
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly toDisk: (path: RelativePath) => string;
  readonly path: RelativePath;
  readonly contentId: ContentHash;
  readonly size: number;
  /** True if everybody who is connected has the content: nobody else wants it. */
  readonly isAlone: () => boolean;
  /** It is known which chunks have to come from peers. */
  readonly onNeeds: (fetch: LargeFetch) => void;
  /** Peers may be asked for more than before. */
  readonly onReady: () => void;
  /** More is staged. */
  readonly onStaged: (fetch: LargeFetch) => void;
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
  #picker: ChunkPicker<Chunk> | undefined;
  /** Peers that fetched the same and have ended: those that have it now can be asked for anything. */
  readonly #former = new Set<PeerId>();
  #isShared = false;
  /** Others want it as well, as it seems. */
  #hasCompany = false;
  #hasAsked = false;
  #isFirstUnderWay = false;
  #beganMs = 0;
  /** What is others' share is waited for. */
  #isWaiting = false;
  #hasLostPatience = false;
  readonly #staged = new Set<ContentHash>();
  /** Places in the manifest, in the order in which they were staged. */
  readonly #stagedChunks: number[] = [];
  #staging: Promise<unknown> = Promise.resolve();
  /** Jobs under way. */
  readonly #running = new Set<Promise<unknown>>();
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

  /** True if so much is to be got that it is worth sharing the work with whoever fetches the same. */
  get isShared(): boolean {
    return this.#isShared;
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

  /** The places in the manifest of what is staged, without the first `count` that were. */
  stagedAfter(count: number): readonly number[] {
    return this.#stagedChunks.slice(count);
  }

  /** The peer fetches the same content. */
  addMember(peer: PeerId): void {
    this.#picker?.addMember(peer);
  }

  /** It does so no longer. */
  removeMember(peer: PeerId): void {
    this.#picker?.removeMember(peer);
    this.#former.add(peer);
  }

  /** A peer that fetches the same has got these chunks. */
  noteHad(peer: PeerId, chunks: readonly number[]): void {
    this.#picker?.noteHad(peer, chunks);
  }

  /** True if there is something to ask this peer for now. `isHolder`: it may hold the whole content. */
  hasWorkFor(peer: PeerId, isHolder: boolean): boolean {
    const picker = this.#picker;
    if (picker === undefined || picker.size === 0) return false;
    if (picker.mayTakeFromMember(peer)) return true;
    if (this.#isFirstUnderWay) return false;
    if (isHolder && picker.hasOwn) return true;
    if (!picker.hasOwn) this.#waitForOthers();
    return isHolder && this.#mayTakeAnyFrom(peer);
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
    this.#hasCompany = !this.#options.isAlone();
    this.#picker = new ChunkPicker({ self: this.#options.ownId, count: chunks.length, isSpread: this.#hasCompany });
    for (const chunk of chunks) this.#byOffset.set(chunk.offset, chunk);
    this.#chunksLeft = chunks.length;
    return true;
  }

  /**
   * Takes what is on this disk already: chunks staged before a restart, and chunks of other files (mostly of the old
   * version). The rest is to be asked for.
   */
  async useLocalChunks(mayBeStaged: boolean): Promise<Problem | undefined> {
    // Before anything is written there.
    const { root } = this.#options;
    const unplaced = await this.#done("unstage", { root, contentIds: [this.contentId], onlyPlaced: true });
    if ("failure" in unplaced) return unplaced.failure;
    let missing: readonly Chunk[] = this.#chunks ?? [];
    if (mayBeStaged) {
      const result = await this.#stage(missing.map((chunk) => [chunk, { kind: "staged" }]));
      if (result.problem !== undefined) return result.problem;
      missing = result.missing;
    }
    const local: [Chunk, StageSource][] = [];
    const remote: Chunk[] = [];
    const chunks = new LocalChunks(this.#options.store, this.#options.toDisk);
    for (const chunk of missing) {
      const source = chunks.find(chunk.hash);
      if (source === undefined) remote.push(chunk);
      else local.push([chunk, source]);
    }
    this.#picker?.need(remote);
    this.#isShared = remote.reduce((sum, chunk) => sum + chunk.length, 0) >= SHARED_FETCH_BYTES_MIN;
    this.#beganMs = this.#options.clock.monotonic();
    // Peers are asked for the rest while this is copied.
    this.#options.onNeeds(this);
    const result = await this.#stageLocal(local);
    this.#picker?.need(result.missing);
    return result.problem;
  }

  /** No more jobs begin. Resolves when none is under way. */
  async stop(): Promise<void> {
    this.isCancelled = true;
    await Promise.allSettled(this.#running);
  }

  /** Hands out chunks to ask this peer for, up to `bytesMax` (at least one, if `hasWorkFor` says so). */
  takeItems(bytesMax: number, peer: PeerId, isHolder: boolean): readonly FetchItem[] {
    const { path, contentId } = this;
    if (this.#hasCompany && this.#isShared && !this.#hasAsked) this.#beginWithOne();
    this.#hasAsked = true;
    const offered = this.#picker?.takeFromMember(peer, bytesMax) ?? [];
    const chunks =
      offered.length === 0 && isHolder ? this.#picker?.take(bytesMax, this.#mayTakeAnyFrom(peer)) : offered;
    return (chunks ?? []).map(({ offset, length, hash }) => ({ path, contentId, offset, length, hash }));
  }

  /** Takes back items that were not answered. */
  returnItems(items: readonly FetchItem[]): void {
    this.#endRequest(items.flatMap(({ offset }) => this.#byOffset.get(offset) ?? []));
  }

  /** Stages what a peer sent. `wrong`: it sent bytes that are not what their hash says. */
  async receive(
    items: readonly FetchItem[],
    answers: readonly ChunkMessage[],
  ): Promise<{ readonly problem: Problem | undefined; readonly gone: boolean; readonly wrong: boolean }> {
    const received: [Chunk, StageSource][] = [];
    const gone: Chunk[] = [];
    for (const [position, item] of items.entries()) {
      const answer = answers[position];
      const chunk = this.#byOffset.get(item.offset);
      if (chunk === undefined) continue;
      if (answer === undefined || answer.encoding === "gone") gone.push(chunk);
      else received.push([chunk, { kind: "bytes", encoding: answer.encoding, payload: answer.payload }]);
    }
    const { problem, missing } = await this.#stage(received);
    this.#endRequest([...gone, ...missing]);
    return { problem, gone: gone.length > 0, wrong: problem === undefined && missing.length > 0 };
  }

  /** `again`: chunks that it did not bring. */
  #endRequest(again: readonly Chunk[]): void {
    this.#isFirstUnderWay = false;
    this.#picker?.need(again);
  }

  /** Others say within a round trip that they fetch it, too: until the first answer, one request is enough. */
  #beginWithOne(): void {
    this.#isFirstUnderWay = true;
    this.#options.clock.after(SHARED_FETCH_PATIENCE_MS, () => {
      this.#isFirstUnderWay = false;
      this.#options.onReady();
    });
  }

  #mayTakeAnyFrom(peer: PeerId): boolean {
    return this.#hasLostPatience || this.#former.has(peer);
  }

  /**
   * The own share is on its way. That of others should be, too, or it would be as slow as the slowest of them: after half
   * as long again it is asked of anybody.
   */
  #waitForOthers(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const { clock, onReady } = this.#options;
    clock.after((clock.monotonic() - this.#beganMs) / 2 + SHARED_FETCH_PATIENCE_MS, () => {
      this.#hasLostPatience = true;
      onReady();
    });
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
    const { root } = this.#options;
    const missing: Chunk[] = [];
    let problem: Problem | undefined;
    for (const run of runs) {
      if (this.isCancelled) break;
      const pieces = run.map(({ piece }) => piece);
      const result = await this.#done("stage", { root, contentId: this.contentId, pieces }, ownedBuffers(pieces));
      if ("failure" in result) {
        problem ??= result.failure;
        missing.push(...run.map(({ chunk }) => chunk));
        continue;
      }
      problem ??= result.problem;
      for (const [position, { chunk }] of run.entries()) {
        if (result.staged[position] === true) this.#noteStaged(chunk);
        else missing.push(chunk);
      }
      if (this.#isShared) this.#options.onStaged(this);
    }
    return { missing, problem };
  }

  /** `failure`: the job itself is lost, with its worker or because dsync stops. */
  async #done<Name extends "stage" | "unstage">(
    name: Name,
    request: Jobs[Name]["request"],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Jobs[Name]["result"] | { readonly failure: Problem }> {
    const job = this.#options.jobs.run(name, request, { transfer });
    this.#running.add(job);
    try {
      return await job;
    } catch (error) {
      return { failure: problemOf("write", error) };
    } finally {
      this.#running.delete(job);
    }
  }

  #noteStaged(chunk: Chunk): void {
    this.#staged.add(chunk.hash);
    this.#stagedChunks.push(chunk.index);
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
