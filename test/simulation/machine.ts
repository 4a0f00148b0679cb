// One simulated machine: a disk, an index that outlives crashes, a clock of its own, and dsync's own instance on them.

import assert from "node:assert/strict";
import { loadBlake3 } from "../../src/content/blake3.ts";
import { hashFiles } from "../../src/content/hash-job.ts";
import { parseReplicaId, type ContentHash, type ReplicaId } from "../../src/core/ids.ts";
import { parsePath, type RelativePath } from "../../src/core/path.ts";
import type { DsyncEvent } from "../../src/core/events.ts";
import type { Clock } from "../../src/edge/clock.ts";
import type { FileSystem } from "../../src/edge/file-system.ts";
import { createInProcessRunner } from "../../src/edge/in-process-runner.ts";
import type { JobName, JobRunner } from "../../src/edge/jobs.ts";
import type { Random } from "../../src/edge/random.ts";
import { selectCurves } from "../../src/handshake/curves.ts";
import { createIdentity, type Identity } from "../../src/handshake/identity.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import type { Entry, StatSignature } from "../../src/index/entry.ts";
import { parseRecord, parseRecordPath } from "../../src/index/record-codec.ts";
import { RecordStore } from "../../src/index/record-store.ts";
import { RowMap } from "../../src/index/row-map.ts";
import { signaturesEqual } from "../../src/index/signature.ts";
import { loadState, type PreviousStop } from "../../src/index/store-state.ts";
import { channelOpener } from "../../src/pool/open-channel.ts";
import { Instance } from "../../src/sync/instance.ts";
import { IgnoreFile } from "../../src/watch/ignore-file.ts";
import { MemoryDisk, type DiskQuirks } from "../support/memory-disk.ts";
import { createMemoryFileSystem } from "../support/memory-file-system.ts";
import { Prng } from "../support/seeded.ts";
import { signatureAt } from "../support/signature-at.ts";
import { systemError } from "../support/system-error.ts";
import { CrashableTables } from "./crashable-tables.ts";
import type { SimulatedNetwork } from "./network.ts";
import { readTree } from "./person.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import { TreeGuard } from "./tree-guard.ts";
import { SimulatedWatcher, type WatcherFaults } from "./watcher.ts";

export const ROOT = "/home/folder";
export const PORT = 9000;
/** Where simulated time begins. */
const EPOCH_MS = Date.UTC(2024, 0, 1);
const NS_PER_MS = 1_000_000n;
const JOB_MS_MAX = 8;
/** Kernels flush what is as old as this by themselves. */
const UNFLUSHED_NS_MAX = 30_000_000_000n;

const blake3 = loadBlake3({ portable: false });
const aead = selectAead({ portable: false });
const curves = selectCurves({ portable: false });
const hash = (bytes: Uint8Array): Uint8Array => blake3.hash(bytes);

export interface MachineOptions {
  readonly number: number;
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly trace: Trace;
  readonly quirks: Partial<DiskQuirks>;
  readonly watcher: WatcherFaults;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** See CrashableTables. */
  readonly commitsSlowly?: boolean;
  /** Called when something happens that must never happen. */
  readonly onViolation: (what: string) => void;
}

/** One life of the process on a machine. */
interface Run {
  isAlive: boolean;
  readonly address: string;
  readonly identity: Identity;
  readonly store: RecordStore;
  readonly tables: CrashableTables;
  readonly watcher: SimulatedWatcher;
  readonly guard: TreeGuard;
  instance: Instance | undefined;
  jobsDone: number;
  /** The job that runs now, and its latest call: jobs run whole, one after the other. */
  job: JobName | undefined;
  latestCall: keyof FileSystem | undefined;
}

/** What strikes at one of the next file-system calls of the instance. */
export interface Strike {
  callsLeft: number;
  /** `isNextLook`: `apply` has just looked at something else, to change both unless this look says no. */
  readonly mayStrike: (call: keyof FileSystem, path: string, isNextLook: boolean) => boolean;
  /** What it throws, the call throws. */
  readonly action: () => void;
}

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly disk: MemoryDisk;
  /** The disk as its person sees it. */
  readonly person: FileSystem;
  readonly strikes: Strike[] = [];
  readonly problems = new Map<string, string>();
  /** How often the instance told of a change. */
  changes = 0;
  readonly #options: MachineOptions;
  readonly #rows = new RowMap();
  readonly #random: Prng;
  #run: Run | undefined;
  #replicaId: ReplicaId | undefined;
  #lastStop: Exclude<PreviousStop, "none"> = "clean";
  /** What was on the disk when the instance was killed last, and is still to be recorded. */
  readonly #unrecorded = new Map<string, StatSignature>();
  /** How often it was switched on. */
  #boots = 1;

  constructor(options: MachineOptions) {
    this.#options = options;
    const { number, seed, quirks } = options;
    this.name = `m${number}`;
    this.address = `10.0.0.${number}`;
    this.#random = new Prng(seed);
    this.disk = new MemoryDisk(() => BigInt(Math.floor(this.wallMs * 1000)) * (NS_PER_MS / 1000n), quirks);
    this.disk.onChange = (change, realPath) => this.#run?.watcher.note(change, realPath);
    this.person = createMemoryFileSystem(this.disk);
    for (const directory of ["/home", ROOT, "/outside"]) this.person.makeDirectory(directory, 0o755);
    for (const directory of ["", "/staging", "/trash"]) this.person.makeDirectory(`${ROOT}/.dsync${directory}`, 0o700);
    this.person.close(this.person.createFile("/outside/file", 0o644));
  }

  /** Of its last run. */
  get replicaId(): ReplicaId | undefined {
    return this.#replicaId;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  get peerId(): Identity["peerId"] | undefined {
    return this.#run?.identity.peerId;
  }

  get store(): RecordStore | undefined {
    return this.#run?.store;
  }

  /** True if the index says that something is at that path of the disk. */
  believesInPresent(path: string): boolean {
    const parsed = parsePath(path);
    return parsed !== undefined && this.#run?.store.get(parsed)?.present.live !== undefined;
  }

  /** A path of this disk that is not what the index says, if any; what the index does not hold at all is one, too. */
  unseenChange(paths: Iterable<string>): string | undefined {
    for (const text of paths) {
      const path = parsePath(text);
      const record = path === undefined ? undefined : this.#run?.store.get(path);
      if (!signaturesEqual(this.#signatureAt(text), record?.signature)) return text;
    }
    return undefined;
  }

  /**
   * Paths that hold what they held when the instance was killed, and of which the index does not know: put in place a
   * moment before, mostly. Who takes such a thing away leaves no trace.
   */
  unrecordedPaths(): ReadonlySet<string> {
    if (this.#run !== undefined) this.#forgetRecorded(this.#run.store);
    return new Set(this.#unrecorded.keys());
  }

  /**
   * Paths of which its index says that the disk does not hold what is known of them. The index outlives the process: the
   * next one brings a directory back for what is still to come, whoever deleted that while no dsync ran.
   */
  awaitedPaths(): ReadonlySet<string> {
    return new Set(this.#storedRecords("pending").map(parseRecordPath));
  }

  /** What its index knows of each path, in whatever state the process is. */
  knownEntries(): ReadonlyMap<RelativePath, Entry> {
    return new Map(this.#storedRecords("records").map((bytes) => [parseRecordPath(bytes), parseRecord(bytes).known]));
  }

  /** Jobs that the running instance has done. */
  get jobsDone(): number {
    return this.#run?.jobsDone ?? 0;
  }

  /** Changes that the running instance made to its disk. */
  get diskWrites(): number {
    return this.#run?.guard.changes ?? 0;
  }

  /** Starts the instance on what the disk and the index hold. */
  async start(): Promise<void> {
    assert.equal(this.#run, undefined);
    const run = this.#createRun();
    this.#run = run;
    this.#options.trace.add(this.name, "starts");
    const instance = await Instance.open(this.#instanceOptions(run));
    if (!run.isAlive) return;
    run.instance = instance;
    await instance.start();
  }

  /** Tells the instance where another one is. */
  meet(other: Machine): void {
    const { peerId, address } = other;
    if (peerId === undefined) return;
    this.#run?.instance?.targets.addTarget({ host: address, port: PORT, peerId, source: "discovery" });
  }

  /** The other one was said to be gone. */
  lose(other: Machine, peerId: Identity["peerId"]): void {
    this.#run?.instance?.targets.removeTarget({ host: other.address, port: PORT, peerId, source: "discovery" });
  }

  /** Ends the process, here and now. What it had not committed is gone; its disk stays as it is. */
  crash(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#options.trace.add(this.name, "crashes");
    run.isAlive = false;
    this.#run = undefined;
    this.#replicaId = run.store.replicaId;
    this.#lastStop = "crash";
    this.strikes.length = 0;
    run.tables.crash();
    this.#noteUnrecorded(run.store);
    this.#options.network.forget(run);
  }

  /** As a crash, and what was not flushed is truncated, zeroed or cut off. */
  losePower(): void {
    if (this.#run === undefined) return;
    this.crash();
    this.#lastStop = "power-loss";
    this.#boots++;
    this.disk.losePower(UNFLUSHED_NS_MAX, (bytes) => {
      const kinds = [
        bytes,
        new Uint8Array(0),
        new Uint8Array(bytes.length),
        bytes.subarray(0, bytes.length / 2),
      ] as const;
      return this.#random.pick(kinds);
    });
  }

  /** Asks the instance to stop, as a person does. Resolves when it has. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run?.instance === undefined) return;
    this.#options.trace.add(this.name, "stops");
    await run.instance.stop();
    if (this.#run !== run) return;
    this.#forgetRecorded(run.store);
    run.isAlive = false;
    this.#run = undefined;
    this.#lastStop = "clean";
    this.#options.network.forget(run);
  }

  /** The inodes of what is at these paths. */
  inodesOf(paths: Iterable<string>): ReadonlyMap<string, bigint> {
    return new Map(
      Array.from(paths).flatMap((path) => {
        const stat = this.person.lstat(`${ROOT}/${path}`);
        return stat === undefined ? [] : [[path, stat.inode] as const];
      }),
    );
  }

  /** The contents on its disk, in the tree and in the trash, by path. */
  contentIds(): ReadonlyMap<string, ContentHash> {
    const files = ["", "/.dsync/trash"].flatMap((below) =>
      [...readTree(this.person, `${ROOT}${below}`)]
        .filter(([, line]) => line.startsWith("file"))
        .map(([path]) => `${below}/${path}`.slice(1)),
    );
    const { outcomes } = hashFiles(this.person, blake3, { root: ROOT, files, inlineBytesMax: 0 });
    return new Map(
      files.flatMap((path, index) => {
        const outcome = outcomes[index];
        return outcome?.kind === "hashed" ? [[path, outcome.contentId] as const] : [];
      }),
    );
  }

  /** Encoded, of the paths that have a row in `table`. */
  #storedRecords(table: "records" | "pending"): readonly Uint8Array[] {
    return this.#rows.keys(table, "").flatMap((key) => this.#rows.get("records", key) ?? []);
  }

  #signatureAt(path: string): StatSignature | undefined {
    return signatureAt(this.person, `${ROOT}/${path}`);
  }

  #noteUnrecorded(store: RecordStore): void {
    this.#unrecorded.clear();
    for (const path of readTree(this.person, ROOT).keys()) {
      const signature = this.#signatureAt(path);
      if (signature !== undefined) this.#unrecorded.set(path, signature);
    }
    this.#forgetRecorded(store);
  }

  #forgetRecorded(store: RecordStore): void {
    for (const [text, signature] of this.#unrecorded) {
      const path = parsePath(text);
      // As the tables have it: the records that the store remembers may never have been committed.
      const recorded = path === undefined ? undefined : store.signatureOf(path);
      const isSame = signaturesEqual(this.#signatureAt(text), signature);
      if (!isSame || signaturesEqual(recorded, signature)) this.#unrecorded.delete(text);
    }
  }

  #createRun(): Run {
    const { scheduler, watcher, commitsSlowly = false } = this.#options;
    const random = this.#randomSource();
    const tables = new CrashableTables({ rows: this.#rows, scheduler, random: this.#random, commitsSlowly });
    const stored = loadState(tables);
    const replicaId = stored?.replicaId ?? parseReplicaId((0xa0 + this.#options.number).toString(16).padStart(16, "0"));
    assert.ok(replicaId !== undefined);
    const store = new RecordStore({
      tables,
      state: stored ?? { replicaId, counter: 0, liveCount: 0, pendingCount: 0 },
      previousStop: stored === undefined ? "none" : this.#lastStop,
      bootId: `boot ${this.#boots}`,
      hash,
      onClose: () => {},
    });
    return {
      isAlive: true,
      address: this.address,
      identity: createIdentity(random, curves),
      store,
      tables,
      watcher: new SimulatedWatcher({ root: ROOT, scheduler, random: this.#random, faults: watcher }),
      guard: new TreeGuard({ disk: this.disk, root: ROOT, onViolation: this.#options.onViolation, name: this.name }),
      instance: undefined,
      jobsDone: 0,
      job: undefined,
      latestCall: undefined,
    };
  }

  #instanceOptions(run: Run): Parameters<typeof Instance.open>[0] {
    const clock = this.#clock(run);
    const random = this.#randomSource();
    const identity = this.person.lstat(ROOT);
    const marker = this.person.lstat(`${ROOT}/.dsync`);
    assert.ok(identity !== undefined && marker !== undefined);
    const { device, inode } = identity;
    return {
      folder: {
        identity: { root: ROOT, device, inode, markerInode: marker.inode },
        store: run.store,
        renew: () => assert.fail("no replica ID is used twice here"),
        release: () => {},
      },
      jobs: this.#runner(run),
      clock,
      random,
      network: this.#options.network.host(run),
      createWatcher: () => run.watcher,
      hash,
      pool: {
        ownId: run.identity.peerId,
        openChannel: channelOpener({ identity: run.identity, aead, curves, random, clock }),
        listenPort: { port: PORT, isExplicit: true },
        share: "default",
        name: this.name,
        dataChannelsMax: 1,
        allowRemote: false,
        rateLimitBytesPerSecond: undefined,
      },
      ignore: new IgnoreFile({ root: ROOT, exclude: [], read: (path) => this.#readText(path) }),
      trashDays: 30,
      onQuiet: () => {},
      emit: (event) => {
        if (run.isAlive) this.#noteEvent(event);
      },
      onFatal: (error) => {
        if (run.isAlive) this.#options.onViolation(`${this.name} cannot go on: ${error.message}`);
      },
    };
  }

  #noteEvent(event: DsyncEvent): void {
    switch (event.kind) {
      case "changed":
        this.changes++;
        return this.#options.trace.add(this.name, `${event.change} ${event.path} by ${event.by}`);
      case "conflict":
        return this.#options.trace.add(this.name, `conflict ${event.conflictPath}`);
      case "problem":
        this.problems.set(event.path, event.reason);
        return this.#options.trace.add(this.name, `problem ${event.path}: ${event.reason}`);
      case "problem-solved":
        this.problems.delete(event.path);
        return;
      case "halted":
      case "resumed":
      case "in-sync":
      case "peer-joined":
      case "peer-left":
        return this.#options.trace.add(this.name, event.kind);
      default:
    }
  }

  #runner(run: Run): JobRunner {
    const { scheduler, trace } = this.#options;
    const fs = run.guard.watch(createMemoryFileSystem(this.disk, (call, path) => this.#beforeCall(run, call, path)));
    let asked: JobName | undefined;
    const inner = createInProcessRunner({
      context: { fs, blake3 },
      schedule: (action) => {
        const job = asked;
        scheduler.after((JOB_MS_MAX * this.#random.below(1000)) / 1000, () => {
          if (!run.isAlive) return;
          run.job = job;
          run.latestCall = undefined;
          action();
        });
      },
    });
    return {
      run: (name, request) =>
        new Promise((resolve, reject) => {
          asked = name;
          inner.run(name, request).then(
            (result) => {
              if (!run.isAlive) return;
              run.jobsDone++;
              trace.add(this.name, `job ${name}`);
              resolve(result);
            },
            (error: unknown) => {
              if (run.isAlive) reject(error instanceof Error ? error : new Error(String(error)));
            },
          );
        }),
      close: () => inner.close(),
    };
  }

  /** A machine that is dead does nothing more; one that is struck may be. */
  #beforeCall(run: Run, call: keyof FileSystem, path: string): void {
    if (!run.isAlive) throw systemError("EIO", path);
    const isNextLook = run.job === "apply" && call === "lstat" && run.latestCall === "lstat";
    run.latestCall = call;
    for (const strike of this.strikes.slice()) {
      if (strike.callsLeft-- > 0 || !strike.mayStrike(call, path, isNextLook)) continue;
      this.strikes.splice(this.strikes.indexOf(strike), 1);
      strike.action();
      if (!run.isAlive) throw systemError("EIO", path);
    }
    run.guard.noteCall();
  }

  #readText(path: string): string {
    const descriptor = this.person.openForReading(path);
    const bytes = new Uint8Array(this.person.fstat(descriptor).size);
    this.person.read(descriptor, bytes, 0);
    this.person.close(descriptor);
    return Buffer.from(bytes).toString();
  }

  #clock(run: Run): Clock {
    const { scheduler } = this.#options;
    return {
      now: () => Math.floor(this.wallMs),
      monotonic: () => scheduler.nowMs,
      after: (delayMs, action) =>
        scheduler.after(delayMs, () => {
          if (run.isAlive) action();
        }),
    };
  }

  #randomSource(): Random {
    const random = this.#random;
    return {
      bytes: (length) => Uint8Array.from({ length }, () => random.below(256)),
      fraction: () => random.below(2 ** 31) / 2 ** 31,
    };
  }

  /** What its clock shows. */
  get wallMs(): number {
    return EPOCH_MS + this.#options.skewMs + this.#options.scheduler.nowMs;
  }
}
