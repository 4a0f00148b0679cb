// One running instance: a folder, its index, and everything that keeps it equal to its peers', wired together.
//
// Starting: the folder is scanned and peers are joined at the same time; what is known from before is told at once.
// Stopping: nothing new begins, what is being put in place is finished, the index is committed, peers hear a goodbye.

import type { DsyncEvent } from "../core/events.ts";
import { messageOf } from "../core/errors.ts";
import type { ContentHash } from "../core/ids.ts";
import { INLINE_CONTENT_BYTES_MAX, RACY_COARSE_MS } from "../core/limits.ts";
import { IGNORE_FILE, type RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { ConflictReport, StatusReport } from "../core/reports.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import { CountingNetwork } from "../edge/counting-network.ts";
import { changedError } from "../edge/folder-claim.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { Network } from "../edge/network.ts";
import type { Random } from "../edge/random.ts";
import type { PathRecord } from "../index/entry.ts";
import { createFingerprinter } from "../index/fingerprint.ts";
import { lastChangedFiles } from "../index/last-change.ts";
import { Ledger } from "../index/ledger.ts";
import { Pool, type PoolOptions } from "../pool/pool.ts";
import { Checkpoint } from "../transfer/checkpoint.ts";
import type { Session } from "../pool/session.ts";
import type { DiskTraits } from "../transfer/probe-job.ts";
import { Puller } from "../transfer/puller.ts";
import type { IgnoreFile } from "../watch/ignore-file.ts";
import { Scanner, type LeftInDirectory } from "../watch/scanner.ts";
import { Spelling } from "../watch/spelling.ts";
import type { Watcher } from "../watch/watcher.ts";
import { ConflictList } from "./conflict-list.ts";
import { CurrentTrashBatch } from "./current-trash-batch.ts";
import { describeChange } from "./describe-change.ts";
import { traitsOf } from "./disk-traits.ts";
import type { OpenFolder } from "./open-folder.ts";
import { Halts } from "./halts.ts";
import { clearStaging, Housekeeping } from "./housekeeping.ts";
import { PeerReporter } from "./peer-reporter.ts";
import { outgoingOf, peerReport } from "./peer-standing.ts";
import { ProgressReporter } from "./progress-reporter.ts";
import { recoverFromKill, recoverFromPowerLoss } from "./recover.ts";
import { Replica } from "./replica.ts";
import { RootCheck } from "./root-check.ts";
import { tooMuchUncommitted } from "./uncommitted.ts";

export interface InstanceOptions {
  readonly folder: OpenFolder;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  /** Makes what watches the folder; `isIgnored` is for watchers that would look at everything. */
  readonly createWatcher: (isIgnored: (diskPath: string, isDirectory: boolean) => boolean) => Watcher;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  readonly pool: Pick<
    PoolOptions,
    | "ownId"
    | "openChannel"
    | "listenPort"
    | "share"
    | "name"
    | "dataChannelsMax"
    | "allowRemote"
    | "rateLimitBytesPerSecond"
  >;
  /** What does not sync. */
  readonly ignore: IgnoreFile;
  /** 0: no trash. */
  readonly trashDays: number;
  /** Called when it has been quiet for a while after something happened: the time to tidy up. */
  readonly onQuiet: () => void;
  /** With `--verify`: says a session's verification value (handshake/verification.ts) in words. */
  readonly sayVerification?: ((verification: Uint8Array) => string) | undefined;
  readonly emit: (event: DsyncEvent) => void;
  /** The folder is not the one that it was: the instance can only stop. */
  readonly onFatal: (error: Error) => void;
}

interface FoundAtOpening {
  /** Contents that staging holds parts of. */
  readonly staged: ReadonlySet<ContentHash>;
  readonly disk: DiskTraits;
}

/** Quiet for so long counts as idle. */
const TIDY_AFTER_MS = 3_000;

export class Instance {
  readonly #options: InstanceOptions;
  readonly #root: string;
  readonly #hasCoarseTimes: boolean;
  readonly #network: CountingNetwork;
  readonly #ledger: Ledger;
  readonly #conflicts: ConflictList;
  readonly #spelling: Spelling;
  readonly #ignore: IgnoreFile;
  readonly #scanner: Scanner;
  readonly #replica: Replica;
  readonly #puller: Puller;
  readonly #checkpoint: Checkpoint;
  readonly #housekeeping: Housekeeping;
  readonly #rootCheck: RootCheck;
  readonly #pool: Pool;
  readonly #progress: ProgressReporter;
  readonly #watcher: Watcher;
  readonly #peers: PeerReporter;
  readonly #scanProblems = new Map<string, Problem>();
  readonly #halts: Halts;
  readonly #trashBatch: CurrentTrashBatch;
  #isStopping = false;
  #tidyTimer: Timer | undefined;

  /** Use `Instance.open`. */
  private constructor(options: InstanceOptions, { staged, disk }: FoundAtOpening) {
    const { folder, jobs, clock, emit } = options;
    const { store, identity } = folder;
    this.#options = options;
    this.#hasCoarseTimes = disk.hasCoarseTimes;
    this.#root = identity.root;
    this.#halts = new Halts(emit);
    this.#trashBatch = new CurrentTrashBatch(clock);
    this.#ignore = options.ignore;
    this.#network = new CountingNetwork(options.network);
    this.#ledger = new Ledger(store);
    this.#conflicts = new ConflictList(store);
    this.#spelling = new Spelling(store);
    this.#replica = new Replica({
      ledger: this.#ledger,
      fingerprinter: createFingerprinter(options.hash),
      clock,
      author: options.pool.name,
      onChanged: (previous, next, isLocal) => this.#noteChanged(previous, next, isLocal),
      onConflict: (path, copy) => {
        const author = copy.entry.live?.author ?? "";
        emit({ kind: "conflict", path, conflictPath: copy.path, author });
      },
      onStand: () => this.#progress.note(),
      onCommitFailed: (error) => this.#noteCommitFailed(error),
      onCommitted: () => this.#halts.resume("index"),
    });
    this.#checkpoint = new Checkpoint({
      store,
      jobs,
      clock,
      root: this.#root,
      toDisk: (path) => this.#spelling.toDisk(path),
      onDone: () => this.#tidyWhenQuiet(),
    });
    this.#housekeeping = new Housekeeping({ store, jobs, clock, identity, trashDays: options.trashDays, emit });
    const onRootChanged = (): void => this.#noteRootChanged();
    this.#rootCheck = new RootCheck({ jobs, clock, identity, onRootChanged });
    this.#puller = new Puller({
      ownId: options.pool.ownId,
      ledger: this.#ledger,
      jobs,
      clock,
      identity,
      onRootChanged,
      toDisk: (path) => this.#spelling.toDisk(path),
      isIgnored: (path, isDirectory) => this.#ignore.rules.isIgnored(path, isDirectory),
      trashBatch: () => (options.trashDays === 0 ? undefined : this.#trashBatch.name),
      staged,
      isScanning: () => this.#scanner.isScanning,
      isComparing: () => this.#replica.isComparing,
      onMarked: (bytes) => this.#checkpoint.note(bytes),
      onSettled: (records) => this.#replica.noteSettled(records),
      onChangedOnDisk: (path) => this.#scanner.hint(this.#spelling.toDisk(path)),
      onRepair: (path) => this.#replica.repair(path),
      onRepaired: (path) => this.#replica.noteRepaired(path),
      leftIn: (path) => this.#leftIn(path),
      onProblem: (path, problem) => emit({ kind: "problem", path, reason: problem.message }),
      onSolved: (path) => emit({ kind: "problem-solved", path }),
      onHalt: (problem) => {
        if (problem === undefined) this.#halts.resume("transfer");
        else this.#halts.halt("transfer", problem.message);
      },
    });
    this.#replica.puller = this.#puller;
    this.#scanner = new Scanner({
      store,
      jobs,
      clock,
      random: options.random,
      identity,
      spelling: this.#spelling,
      ignore: () => this.#ignore.rules,
      isBusy: (path) => this.#puller.isBusy(path),
      inlineBytesMax: INLINE_CONTENT_BYTES_MAX,
      keepsModes: disk.keepsModes,
      hasPromptHints: () => this.#watcher.isPrompt === true,
      onObservations: (observations) => this.#replica.observe(observations),
      onDirectory: (diskPath) => this.#watcher.directorySeen?.(diskPath),
      onRootChanged,
      onProblem: (path, problem) => this.#noteScanProblem(path, problem),
      onSolved: (path) => {
        if (this.#scanProblems.delete(path)) emit({ kind: "problem-solved", path });
      },
    });
    this.#progress = new ProgressReporter({
      ledger: this.#ledger,
      replica: this.#replica,
      puller: this.#puller,
      scanner: this.#scanner,
      clock,
      traffic: () => this.#network.traffic,
      emit,
      onInSync: () => this.#tidyWhenQuiet(),
    });
    this.#watcher = options.createWatcher((diskPath, isDirectory) => {
      const path = this.#spelling.fromDisk(diskPath);
      return path !== undefined && this.#ignore.rules.isIgnored(path, isDirectory);
    });
    this.#pool = new Pool({
      ...options.pool,
      network: this.#network,
      clock,
      random: options.random,
      replicaId: () => store.replicaId,
      onSession: (session) => this.#join(session),
    });
    this.#peers = new PeerReporter({ sayVerification: options.sayVerification, emit });
    this.#pool.events.on((event) => this.#peers.note(event));
  }

  /** Clears what an earlier run left behind, and prepares everything; nothing runs yet. */
  static async open(options: InstanceOptions): Promise<Instance> {
    const { folder, jobs, clock, ignore, emit } = options;
    const { store, identity } = folder;
    warnOfIgnoreRules(ignore, emit);
    const recovery = { folder, jobs, clock, author: options.pool.name, emit };
    await recoverFromPowerLoss(recovery);
    const staged = await clearStaging({ store, jobs, identity, emit });
    const { traits } = await jobs.run("probe", { root: identity.root });
    const disk = traitsOf(store, traits);
    await recoverFromKill(recovery, disk);
    return new Instance(options, { staged, disk });
  }

  /** Listens, watches and scans. Throws a DsyncError if the port cannot be had. */
  async start(): Promise<void> {
    await this.#pool.start();
    const { emit } = this.#options;
    await this.#watcher.start({
      hint: (diskPath) => this.#noteHint(diskPath),
      overflow: () => this.#scanner.overflow(),
      problem: (problem) => emit({ kind: "warning", message: problem.message }),
    });
    this.#scan();
    if (this.#hasCoarseTimes) this.#readLastChanged();
    this.#puller.start();
    // What an earlier run left marked.
    this.#checkpoint.note();
    this.#housekeeping.start();
    this.#rootCheck.start();
  }

  /** The TCP port that is listened on. */
  get port(): number {
    return this.#pool.port ?? 0;
  }

  /** Where peers may be found. */
  get targets(): Pick<Pool, "addTarget" | "removeTarget"> {
    return this.#pool;
  }

  /** Finishes what is being put in place, says goodbye, and closes the index. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#progress.stop();
    this.#housekeeping.stop();
    this.#rootCheck.stop();
    await this.#watcher.stop();
    this.#scanner.stop();
    await this.#puller.stop();
    this.#checkpoint.stop();
    this.#replica.stop();
    await this.#pool.stop();
    await this.#options.jobs.close();
    this.#spelling.save();
    try {
      await this.#options.folder.store.close();
    } finally {
      this.#options.folder.release();
    }
  }

  conflicts(): Promise<readonly ConflictReport[]> {
    return this.#conflicts.list();
  }

  async status(): Promise<StatusReport> {
    const { pool, sayVerification } = this.#options;
    const { store } = this.#ledger;
    const { conversations } = this.#replica;
    return {
      running: true,
      folder: this.#root,
      share: pool.share,
      name: pool.name,
      port: this.port,
      replicaId: store.replicaId,
      peerId: pool.ownId,
      merkleRoot: Buffer.from(store.merkle.root()).toString("hex"),
      inSync: this.#progress.isInSync,
      peers: conversations.map((conversation) => peerReport(conversation, sayVerification)),
      pending: this.#ledger.pending,
      outgoing: outgoingOf(conversations),
      failed: this.#failed(),
      conflicts: await this.#conflicts.count(),
      halted: this.#halts.reason ?? null,
      entries: store.liveCount,
      traffic: this.#network.traffic,
      refused: this.#peers.refused,
    };
  }

  #failed(): { path: string; reason: string }[] {
    const all = [...this.#puller.failures, ...this.#scanProblems];
    return all.map(([path, problem]) => ({ path, reason: problem.message }));
  }

  /**
   * A peer with our replica ID is a clone of this disk: both become other replicas before they tell each other anything.
   * Two that go on under one ID would take each other's changes for their own, and for seen.
   */
  #join(session: Session): void {
    const { folder, emit } = this.#options;
    if (session.peer.replicaId !== folder.store.replicaId) return this.#replica.join(session);
    emit({
      kind: "warning",
      message: `${session.peer.name} runs on a clone of this folder's disk: both go on as replicas of their own.`,
    });
    folder.renew().then(
      () => session.close("goodbye", "had the replica ID of this peer, and took another"),
      (error: unknown) => this.#endWith(error),
    );
  }

  #endWith(error: unknown): void {
    this.#options.onFatal(error instanceof Error ? error : new Error(messageOf(error)));
  }

  #scan(): void {
    void this.#scanner.fullScan().then(() => {
      this.#housekeeping.emptyOldTrash();
      this.#tidyWhenQuiet();
    });
  }

  /** The last run ended, perhaps, before what was as fresh as the clock is fine had been read once more. */
  #readLastChanged(): void {
    const paths = lastChangedFiles(this.#ledger.store, this.#options.clock.now(), RACY_COARSE_MS);
    for (const path of paths) this.#scanner.readAgain(this.#spelling.toDisk(path));
  }

  #noteHint(diskPath: string): void {
    if (diskPath === IGNORE_FILE && this.#ignore.reload()) {
      warnOfIgnoreRules(this.#ignore, this.#options.emit);
      void this.#watcher.refresh?.().then(() => this.#scanner.rulesChanged());
      this.#puller.reconsider();
    }
    this.#scanner.hint(diskPath);
  }

  #noteChanged(previous: PathRecord, next: PathRecord, isLocal: boolean): void {
    this.#conflicts.note(next);
    const event = describeChange(previous, next, { isLocal, ownName: this.#options.pool.name });
    if (event !== undefined) this.#options.emit(event);
    this.#progress.note();
  }

  #noteScanProblem(path: string, problem: Problem): void {
    if (!this.#scanProblems.has(path)) this.#options.emit({ kind: "problem", path, reason: problem.message });
    this.#scanProblems.set(path, problem);
  }

  #noteCommitFailed(error: unknown): void {
    const tooMuch = tooMuchUncommitted(this.#ledger.store.uncommittedBytes, error);
    if (tooMuch !== undefined) this.#options.onFatal(tooMuch);
    else this.#halts.halt("index", messageOf(error));
  }

  /** Once after each time that something happened, when nothing has happened for a while. */
  #tidyWhenQuiet(): void {
    if (this.#isStopping) return;
    this.#tidyTimer?.clear();
    this.#tidyTimer = this.#options.clock.after(TIDY_AFTER_MS, () => {
      if (this.#isStopping || !this.#progress.isInSync) return;
      void this.#puller.tidy();
      this.#ledger.store.release().catch((error: unknown) => this.#endWith(error));
      this.#options.onQuiet();
    });
  }

  /** What is not ignored makes itself known by a look. */
  async #leftIn(path: RelativePath): Promise<LeftInDirectory["kind"]> {
    const left = await this.#scanner.leftIn(this.#spelling.toDisk(path));
    if (left.kind === "others") for (const diskPath of left.diskPaths) this.#scanner.hint(diskPath);
    return left.kind;
  }

  #noteRootChanged(): void {
    this.#options.onFatal(changedError(this.#root, "marker-missing"));
  }
}

function warnOfIgnoreRules(ignore: IgnoreFile, emit: (event: DsyncEvent) => void): void {
  for (const { line, reason } of ignore.rules.warnings) {
    emit({ kind: "warning", message: `${line.source}, line ${line.line}, is left out: ${reason}` });
  }
}
