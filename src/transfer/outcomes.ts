// What came of operations: the index is told what is present now, and the paths go on from there.

import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN, RETRY_DELAY_MS_MIN } from "../core/limits.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import type { PathRecord } from "../index/entry.ts";
import type { Ledger } from "../index/ledger.ts";
import { isSettled, withPresent } from "../index/settle.ts";
import { isCoarse } from "../index/signature.ts";
import type { ApplyOperation, ApplyOutcome } from "./apply-operation.ts";
import type { DuePaths } from "./due-paths.ts";
import type { PathStates } from "./path-states.ts";
import type { Work } from "./work.ts";

export interface OutcomesOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly toDisk: (path: RelativePath) => string;
  readonly due: Pick<DuePaths, "add">;
  readonly states: Pick<PathStates, "end" | "release" | "rest" | "forgetRests" | "wake" | "wakeWaiters">;
  /** The content is fetched for this path no longer. */
  readonly onArrived: (path: RelativePath, contentId: ContentHash) => void;
  readonly onFailed: (path: RelativePath, problem: Problem) => void;
  /** Something was put in place and marked; so many bytes of it were written. */
  readonly onMarked: (bytes: number) => void;
  /** These paths hold on this disk what is known, from now on. */
  readonly onSettled: (records: readonly PathRecord[]) => void;
  /** The disk is not what the index says: look at it. */
  readonly onChangedOnDisk: (path: RelativePath) => void;
  /** What a directory that should go still holds: what other operations are about to take out of it, too. */
  readonly leftIn: (path: RelativePath) => Promise<"nothing" | "ignored" | "others">;
}

const DAMAGED: Problem = {
  code: "EDAMAGED",
  message: "Cannot write: a peer sent something else than it announced. It is asked again later.",
};
const IN_THE_WAY: Problem = {
  code: "EEXIST",
  message: "Cannot write: something else is there that dsync may not replace (ignored files?). Move it away.",
};

export class Outcomes {
  readonly #options: OutcomesOptions;
  readonly #ledger: Ledger;
  readonly #due: OutcomesOptions["due"];
  readonly #states: OutcomesOptions["states"];
  /** Where nothing more is taken from for a path: disk paths. */
  readonly #noReuse = new Map<RelativePath, Set<string>>();

  constructor(options: OutcomesOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#due = options.due;
    this.#states = options.states;
  }

  /** False after what was taken from there (disk path) for this path turned out to be something else. */
  mayReuse(path: RelativePath, diskPath: string): boolean {
    return this.#noReuse.get(path)?.has(diskPath) !== true;
  }

  /** Nothing was done: they are decided on again in a moment. */
  putOff(works: readonly Work[]): void {
    for (const { path, movedFrom } of works) {
      this.#states.end(path);
      this.#states.release(movedFrom);
      this.#options.clock.after(RETRY_DELAY_MS_MIN, () => this.#due.add(path));
    }
  }

  /** One outcome for each of `works`, in order. Resolves when the index has been told of all. */
  async note(works: readonly Work[], outcomes: readonly ApplyOutcome[]): Promise<void> {
    const settled: PathRecord[] = [];
    for (const [index, work] of works.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === "not-empty") {
        await this.#finishNotEmpty(work, settled);
        this.#states.release(work.movedFrom);
      } else if (outcome !== undefined) this.#finish(work, outcome, settled);
    }
    if (settled.length > 0) this.#options.onSettled(settled);
  }

  #finish(work: Work, outcome: Exclude<ApplyOutcome, { kind: "not-empty" }>, settled: PathRecord[]): void {
    const { path, operation, movedFrom } = work;
    this.#states.end(path);
    if (operation.kind === "file") this.#options.onArrived(path, operation.contentId);
    // What waited for its content looks for it elsewhere.
    if (outcome.kind !== "applied") this.#states.wakeWaiters(path);
    switch (outcome.kind) {
      case "applied":
        this.#noteApplied(work, outcome, settled);
        break;
      case "changed":
        this.#noteChanged(path);
        break;
      case "damaged":
        // Sent by a peer: asking again at once would only bring it again. Somebody else may have it whole.
        work.sender?.noteLacking(path);
        if (operation.kind === "file" && operation.source.kind === "bytes") return this.#fail(path, DAMAGED);
        this.#noteUseless(work);
        this.#due.add(path);
        break;
      case "problem":
        this.#fail(path, outcome.problem);
        break;
    }
    this.#states.release(movedFrom);
  }

  /** What was to be taken from another place of this disk is not there: the index has that place wrong. */
  #noteUseless({ path, operation, target }: Work): void {
    const from = takenFrom(operation);
    const content = target.live?.content;
    if (from === undefined || content?.kind !== "file") return;
    this.#noReuse.set(path, (this.#noReuse.get(path) ?? new Set()).add(from));
    for (const location of this.#ledger.store.locationsOf(content.contentId)) {
      const isThere = location.kind === "tree" && this.#options.toDisk(location.path) === from;
      if (isThere) this.#options.onChangedOnDisk(location.path);
    }
  }

  #noteApplied(work: Work, outcome: Extract<ApplyOutcome, { kind: "applied" }>, settled: PathRecord[]): void {
    const { path, movedFrom, target } = work;
    const { store } = this.#ledger;
    const record = store.get(path);
    if (record === undefined) return;
    const old = record.present.live?.content;
    if (outcome.trashed !== undefined && old?.kind === "file") {
      store.putTrashLocation(old.contentId, outcome.trashed);
    }
    const next = withPresent(record, target, outcome.signature);
    this.#mark(record, work.operation.kind === "file" ? work.operation.size : 0);
    if (work.operation.kind === "file" && work.operation.size > CHUNK_SIZE_BYTES_MIN) {
      store.putChunkLocations(work.operation.contentId);
    }
    this.#ledger.put(record, next);
    settled.push(next);
    if (movedFrom !== undefined) this.#noteMovedAway(movedFrom, settled);
    this.#noReuse.delete(path);
    this.#states.forgetRests(path);
    const { signature, touched } = outcome;
    // Where two changes may have one time, a person's may not show: the file is read once more, whatever the watcher hears.
    const mayHideChange = signature?.kind === "file" && isCoarse(signature);
    if (touched || mayHideChange) this.#options.onChangedOnDisk(path);
    if (!isSettled(next)) this.#due.add(path);
    this.#states.wake(path);
  }

  /** The path holds something else now; its record still says what it held. */
  #mark({ path, present }: PathRecord, bytes: number): void {
    this.#ledger.store.mark(path, present);
    this.#options.onMarked(bytes);
  }

  #noteMovedAway(path: RelativePath, settled: PathRecord[]): void {
    const record = this.#ledger.store.get(path);
    if (record === undefined) return;
    const next = withPresent(record, { seen: record.known.seen, live: undefined }, undefined);
    this.#mark(record, 0);
    this.#ledger.put(record, next);
    settled.push(next);
    if (!isSettled(next)) this.#due.add(path);
  }

  #noteChanged(path: RelativePath): void {
    const parent = parentOf(path);
    this.#options.onChangedOnDisk(path);
    if (parent !== undefined) this.#options.onChangedOnDisk(parent);
    if (!this.#states.rest(path)) this.#fail(path, IN_THE_WAY);
  }

  #fail(path: RelativePath, problem: Problem): void {
    this.#options.onFailed(path, problem);
  }

  /**
   * A directory that should go still held something: only ignored files (it stays, as residue), or more to be removed.
   * What was moved out of it meanwhile leaves nothing, and nothing is no residue: it is tried again.
   */
  async #finishNotEmpty(work: Work, settled: PathRecord[]): Promise<void> {
    const { path, target } = work;
    const left = await this.#options.leftIn(path);
    this.#states.end(path);
    const record = this.#ledger.store.get(path);
    if (record === undefined) return;
    if (left === "ignored" && target.live === undefined) {
      const next = withPresent(record, target, undefined, true);
      this.#ledger.put(record, next);
      settled.push(next);
      this.#states.wake(path);
      return;
    }
    this.#noteChanged(path);
  }
}

/** The disk path on this disk that an operation takes content from. */
function takenFrom(operation: ApplyOperation): string | undefined {
  if (operation.kind === "move") return operation.from;
  return operation.kind === "file" && operation.source.kind === "copy" ? operation.source.diskPath : undefined;
}
