// Brings the disk up to what is known: one loop that looks at pending paths, decides what each needs next, and has it done.
//
// Events only make a path due; `#evaluate` decides. A path is at one place at a time: due (due-paths.ts), being fetched
// (content-supply.ts), or busy, waiting, resting or failed (path-states.ts). What is done on the disk goes through
// apply-runner.ts, and outcomes.ts tells the index what came of it.

import type { ContentHash, PeerId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import { isDiskFull } from "../core/problem-of.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { PathRecord } from "../index/entry.ts";
import type { Ledger } from "../index/ledger.ts";
import { hasLiveChildren } from "../index/live-children.ts";
import { isSettled } from "../index/settle.ts";
import type { Session } from "../pool/session.ts";
import type { Channel } from "../pool/channel.ts";
import type { FetchingMessage, HaveMessage } from "../pool/messages.ts";
import type { FileSource } from "./apply-operation.ts";
import { ApplyRunner } from "./apply-runner.ts";
import { ContentServer } from "./content-server.ts";
import { ContentSupply } from "./content-supply.ts";
import { serveDataChannel } from "./data-channel.ts";
import { decide, directoryToCome, fileOperation, type Surroundings } from "./decide.ts";
import { DuePaths } from "./due-paths.ts";
import { FetchQueue, type SmallTask } from "./fetch-queue.ts";
import { FullDisk } from "./full-disk.ts";
import type { InlineFile } from "./inline-content.ts";
import type { LargeFetch } from "./large-fetch.ts";
import { LookFirst } from "./look-first.ts";
import { Outcomes } from "./outcomes.ts";
import { PathStates } from "./path-states.ts";
import { Removals } from "./removals.ts";
import type { Source } from "./source.ts";
import type { Work } from "./work.ts";

export interface PullerOptions {
  readonly ownId: PeerId;
  readonly ledger: Ledger;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
  readonly toDisk: (path: RelativePath) => string;
  readonly isIgnored: (path: RelativePath, isDirectory: boolean) => boolean;
  /** Name of the trash batch to use now; `undefined`: no trash is kept. */
  readonly trashBatch: () => string | undefined;
  /** Contents that staging holds parts of, from an earlier run. */
  readonly staged: ReadonlySet<ContentHash>;
  /** True while the whole folder is read. */
  readonly isScanning: () => boolean;
  /** True while a comparison with a peer is under way: what looks deleted may turn out to be moved. */
  readonly isComparing: () => boolean;
  /** Something was put in place and marked; so many bytes of it were written. */
  readonly onMarked: (bytes: number) => void;
  /** These paths hold on this disk what is known, from now on. */
  readonly onSettled: (records: readonly PathRecord[]) => void;
  /** The disk is not what the index says: look at it. */
  readonly onChangedOnDisk: (path: RelativePath) => void;
  /** The tree around this path does not allow it: make a repair. */
  readonly onRepair: (path: RelativePath) => void;
  /** It does now, or nothing is to be put there any more. */
  readonly onRepaired: (path: RelativePath) => void;
  /** What a directory that should go still holds: what other operations are about to take out of it, too. */
  readonly leftIn: (path: RelativePath) => Promise<"nothing" | "ignored" | "others">;
  readonly onProblem: (path: RelativePath, problem: Problem) => void;
  readonly onSolved: (path: RelativePath) => void;
  /** Not the folder that it was: the instance can only stop. */
  readonly onRootChanged: () => void;
  readonly onHalt: (problem: Problem | undefined) => void;
}

/** Paths decided in one go before other work gets its turn. */
const EVALUATED_AT_ONCE_MAX = 2_000;

export class Puller {
  readonly #options: PullerOptions;
  readonly #queue: FetchQueue;
  readonly #server: ContentServer;
  readonly #supply: ContentSupply;
  readonly #due: DuePaths;
  readonly #states: PathStates;
  readonly #runner: ApplyRunner;
  readonly #outcomes: Outcomes;
  readonly #around: Surroundings;
  readonly #fullDisk: FullDisk;
  readonly #removals = new Removals();
  #isRemoving = false;
  #isStopped = false;

  constructor(options: PullerOptions) {
    this.#options = options;
    const { ownId, jobs, clock, identity, toDisk } = options;
    const { root } = identity;
    const { store } = options.ledger;
    this.#queue = new FetchQueue({
      ownId,
      store,
      jobs,
      clock,
      root,
      toDisk,
      mayBeStaged: (contentId) => options.staged.has(contentId),
      onSmall: (arrived, sender) => this.#applySmall(arrived, sender),
      onLarge: (fetch) => this.#applyLarge(fetch),
      onProblem: (path, problem) => this.#fail(path, problem),
    });
    const isFetched = (path: RelativePath): boolean => this.#queue.has(path) !== undefined;
    this.#due = new DuePaths({ clock, pending: () => store.pending(), isFetched, onDue: () => this.#evaluate() });
    this.#states = new PathStates({ ...options, store, due: this.#due, isFetched });
    this.#outcomes = new Outcomes({
      ...options,
      due: this.#due,
      states: this.#states,
      onArrived: (path, contentId) => this.#supply.noteArrived(path, contentId),
      onFailed: (path, problem) => this.#fail(path, problem),
    });
    this.#runner = new ApplyRunner({
      ...options,
      store,
      onOutcomes: (works, outcomes) => this.#outcomes.note(works, outcomes),
      onPutOff: (works) => this.#outcomes.putOff(works),
      onDone: () => {
        if (this.#due.isOverflowing) this.#due.schedule();
      },
    });
    this.#fullDisk = new FullDisk({
      jobs,
      clock,
      root,
      isStopped: () => this.#isStopped,
      onFull: (problem) => {
        this.#queue.pause();
        options.onHalt(problem);
      },
      onRoom: () => {
        options.onHalt(undefined);
        this.#queue.resume();
        this.#due.schedule();
      },
    });
    this.#server = new ContentServer({
      store,
      jobs,
      root,
      toDisk,
      isStaged: (contentId, chunk) => this.#queue.isStaged(contentId, chunk),
      onStale: options.onChangedOnDisk,
    });
    this.#supply = new ContentSupply({
      queue: this.#queue,
      lookFirst: new LookFirst({
        ...options,
        onDue: (path) => this.add(path),
        onScanned: () => this.reconsider(),
      }),
      isBusy: (path) => this.#states.isBusy(path),
      onCancelled: (path) => this.#states.wake(path),
    });
    this.#around = {
      get: (path) => store.get(path),
      toDisk,
      isIgnored: options.isIgnored,
      hasLiveChildren: (directory) => hasLiveChildren(store, directory),
      locationsOf: (contentId) => store.locationsOf(contentId),
      isBusy: (path) => this.#states.isBusy(path),
      mayReuse: (path, diskPath) => this.#outcomes.mayReuse(path, diskPath),
    };
  }

  /** Starts with what an earlier run left pending. */
  start(): void {
    this.#due.refill();
  }

  /** True while this path is being changed by ourselves. */
  isBusy(path: RelativePath): boolean {
    return this.#states.isBusy(path);
  }

  /** What is changing this path on the disk now, if anything: resolves when the index has been told the outcome. */
  underWayAt(path: RelativePath): Promise<void> | undefined {
    return this.#runner.underWayAt(path);
  }

  get failures(): Iterable<readonly [RelativePath, Problem]> {
    return this.#states.failures;
  }

  get largeFetches(): Iterable<LargeFetch> {
    return this.#queue.largeFetches;
  }

  /** What is known of this path changed. `inline`: its content, not verified. */
  noteKnown(record: PathRecord, inline?: InlineFile): void {
    const { path } = record;
    if (inline !== undefined) this.#supply.put(inline);
    // A tree that arrives: what is in a directory is not decided on before that is made.
    const isUntouched = this.#queue.has(path) === undefined && !this.#states.isToRepair(path) && !this.#isStopped;
    const directory = isUntouched ? directoryToCome(record, this.#around) : undefined;
    if (directory === undefined) this.add(path);
    else this.#states.waitFor(directory, path);
  }

  /** What this path needs may be something else by now. */
  add(path: RelativePath): void {
    this.#due.add(path);
  }

  /** The disk was looked at, and the record is what is there now. */
  noteSeen(record: PathRecord): void {
    this.#states.noteSeen(record);
  }

  addSource(source: Source): void {
    this.#queue.addSource(source);
  }

  removeSource(session: Session): void {
    this.#queue.removeSource(session);
  }

  /** A peer says what it fetches, or what it has got of that. */
  noteSharing(session: Session, message: FetchingMessage | HaveMessage): void {
    this.#queue.noteSharing(session, message);
  }

  addDataChannel(session: Session, channel: Channel): void {
    serveDataChannel(channel, this.#queue.addChannel(session, channel), this.#server);
  }

  /** A peer said that it holds this path. */
  noteHeldByPeer(path: RelativePath): void {
    this.#queue.unpark(path);
  }

  /** A comparison ended, the folder was read, or ignore rules changed: look at everything that is pending again. */
  reconsider(): void {
    this.#queue.unparkAll();
    this.#due.reconsider();
  }

  /** Lets what is being put in place finish; nothing new is begun. Resolves when the index knows of all of it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#due.stop();
    this.#states.stop();
    await this.#queue.stop();
    if (!this.#runner.isIdle) await this.#runner.untilIdle();
  }

  /** Clears what staging holds of fetches that nobody wants any more. To be called when nothing is pending. */
  async tidy(): Promise<void> {
    const { jobs, identity } = this.#options;
    const contentIds = this.#queue.takeLeftStaged();
    if (contentIds.length === 0 || this.#isStopped) return;
    // What is left is cleared when dsync starts the next time.
    await jobs.run("unstage", { root: identity.root, contentIds, onlyPlaced: false }).catch(() => undefined);
  }

  /** Decides what every due path needs, and has it done in as few jobs as possible. */
  #evaluate(): void {
    if (this.#isStopped || this.#fullDisk.isFull) return;
    const works: Work[] = [];
    const removals: Work[] = [];
    for (const path of this.#due.take(EVALUATED_AT_ONCE_MAX)) {
      if (this.#states.isOpen(path)) this.#evaluateOne(path, works, removals);
    }
    this.#operate(works);
    for (const { path } of removals) this.#removals.add(path);
    if (!this.#due.goOn({ refills: works.length === 0 && this.#runner.isIdle })) this.#remove();
  }

  #evaluateOne(path: RelativePath, works: Work[], removals: Work[]): void {
    const wasToRepair = this.#states.reopen(path);
    this.#removals.delete(path);
    const record = this.#options.ledger.store.get(path);
    if (record === undefined) return;
    const decision = decide(record, this.#around);
    if (wasToRepair && decision.kind !== "repair") this.#options.onRepaired(path);
    if (decision.kind !== "fetch") this.#supply.forget(path);
    switch (decision.kind) {
      case "settled":
      case "ignored":
        return this.#states.wake(path);
      case "repair":
        return this.#states.askForRepair(path);
      case "after":
        return this.#states.waitFor(decision.path, path);
      case "operate": {
        const { operation, movedFrom } = decision;
        this.#states.begin(path);
        if (movedFrom !== undefined) this.#states.begin(movedFrom);
        works.push({ path, operation, target: record.known, movedFrom });
        return;
      }
      case "remove":
        return void removals.push({ path, operation: decision.operation, target: record.known, movedFrom: undefined });
      case "fetch": {
        const supply = this.#supply.obtain(record, decision.content);
        if (supply?.kind === "after") return this.#states.waitFor(supply.path, path);
        return supply === undefined ? undefined : this.#prepareFile(record, supply, works);
      }
    }
  }

  #prepareFile(record: PathRecord, source: FileSource, works: Work[], sender?: Source): void {
    const content = record.known.live?.content;
    if (content?.kind !== "file") return;
    this.#states.begin(record.path);
    const operation = fileOperation(record, content, source, this.#options);
    works.push({ path: record.path, operation, target: record.known, movedFrom: undefined, sender });
  }

  async #applySmall(
    arrived: readonly { task: SmallTask; chunk: { encoding: string; payload: Uint8Array } }[],
    sender: Source,
  ): Promise<void> {
    const works: Work[] = [];
    for (const { task, chunk } of arrived) {
      const encoding = chunk.encoding === "lz4" ? "lz4" : "raw";
      const source: FileSource = { kind: "bytes", encoding, payload: chunk.payload };
      this.#prepareArrived(task.path, task.contentId, works, source, sender);
    }
    await this.#runner.run(works);
  }

  #applyLarge(fetch: LargeFetch): void {
    const works: Work[] = [];
    this.#prepareArrived(fetch.path, fetch.contentId, works, { kind: "staged" });
    this.#operate(works);
  }

  /** Content arrived: it is put in place if the path still wants it. */
  #prepareArrived(
    path: RelativePath,
    contentId: ContentHash,
    works: Work[],
    source: FileSource,
    sender?: Source,
  ): void {
    const record = this.#options.ledger.store.get(path);
    const wanted = record?.known.live?.content;
    const isWanted =
      record !== undefined && !isSettled(record) && wanted?.kind === "file" && wanted.contentId === contentId;
    if (isWanted && !this.#isStopped && !this.#states.isBusy(path))
      return this.#prepareFile(record, source, works, sender);
    this.#supply.noteArrived(path, contentId);
    this.add(path);
  }

  #operate(works: readonly Work[]): void {
    if (works.length > 0) void this.#runner.run(works);
  }

  /** Removals run one job at a time, deepest paths first, and not while entries still arrive: they may be moves. */
  #remove(): void {
    if (this.#removals.size === 0 || this.#isRemoving || this.#options.isComparing()) return;
    const [works, removals]: [Work[], Work[]] = [[], []];
    // Decided once more: much may have happened since they were put off.
    for (const path of this.#removals.takeDeepest(EVALUATED_AT_ONCE_MAX)) {
      if (this.#states.isOpen(path)) this.#evaluateOne(path, works, removals);
    }
    this.#operate(works);
    this.#isRemoving = true;
    for (const { path } of removals) this.#states.begin(path);
    void this.#runner.run(removals, { inOrder: true }).then(() => {
      this.#isRemoving = false;
      this.#states.wakePutOff();
      this.#due.schedule();
    });
  }

  /** Called by the owner when `isComparing` turned false. */
  noteCompared(): void {
    this.#states.wakePutOff();
    this.#due.schedule();
  }

  #fail(path: RelativePath, problem: Problem): void {
    this.#supply.cancel(path);
    if (isDiskFull(problem)) {
      this.#due.keep(path);
      return this.#fullDisk.note(problem);
    }
    this.#states.fail(path, problem);
  }
}
