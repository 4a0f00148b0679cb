// Turns hints into observations: looks at what may have changed, reads what did, and reports it.
//
// Hints and scans only make paths suspect. Rounds (round.ts) look at suspects and report; walks (walk.ts) find suspects.
// Everything that waits is bounded; what does not fit is left to a full scan, which is then asked for.

import { messageOf } from "../core/errors.ts";
import {
  ALONE_MS,
  DEFERRED_FILES_MAX,
  DIRTY_PATHS_MAX,
  PROBLEM_RETRY_MS_MAX,
  PROBLEM_RETRY_MS_MIN,
  RETRIES_MAX,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  VANISHED_PATHS_MAX,
} from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { Random } from "../edge/random.ts";
import type { IndexStore } from "../index/index-store.ts";
import { DelayQueue } from "./delay-queue.ts";
import { SECOND_SPELLING } from "./gather.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import type { Observation } from "./observation.ts";
import { unpackChildren } from "./packed-children.ts";
import { Problems } from "./problems.ts";
import { RescanSchedule } from "./rescan-schedule.ts";
import { RoundQueue } from "./round-queue.ts";
import { runRound } from "./round.ts";
import type { RoundContext } from "./round-context.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { Spelling } from "./spelling.ts";
import { joined, suspect, type Suspect } from "./suspects.ts";
import { Vanished } from "./vanished.ts";
import { walkDirectories, type WalkContext } from "./walk.ts";

export interface ScannerOptions {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: RootIdentity;
  readonly spelling: Spelling;
  readonly ignore: () => IgnoreRules;
  /** True while something is put in place at this path: it is looked at when that is over. */
  readonly isBusy: (path: RelativePath) => boolean;
  /** Small files that a hint led to are reported with their content, up to this size. */
  readonly inlineBytesMax: number;
  /** False: modes that the disk shows are nobody's choice, and never reported (known-mode.ts). */
  readonly keepsModes: boolean;
  /** See Watcher.isPrompt. */
  readonly hasPromptHints: () => boolean;
  /** Batches come one after the other; the store must say what they say when this returns (or its promise resolves). */
  readonly onObservations: (batch: readonly Observation[]) => void | Promise<void>;
  /** A directory is there; called before its children are read. `diskPath`: as below. */
  readonly onDirectory: (diskPath: string) => void;
  /** The folder is not the one that it was. Nothing was concluded from that look; may be called again. */
  readonly onRootChanged: () => void;
  /** `diskPath` is relative to the folder, in the disk's spelling. */
  readonly onProblem: (diskPath: string, problem: Problem) => void;
  readonly onSolved: (diskPath: string) => void;
}

export type LeftInDirectory =
  /** Nothing any more: it is empty, or gone itself. */
  | { readonly kind: "nothing" }
  /** Only what is ignored here. */
  | { readonly kind: "ignored" }
  /** `diskPaths`: what is not ignored; the directory itself if that cannot be found out. */
  | { readonly kind: "others"; readonly diskPaths: readonly string[] };

const LARGE_BATCH = 100;
/** Taken by one scan; the next one takes the rest. */
const LEFTOVERS_MAX = 1_000;
/** No job takes so long: what is older was left by a crash. */
const LEFTOVER_AGE_MS = 86_400_000;

type ScanState =
  | { readonly kind: "idle" }
  /** `again`: another scan was asked for; what this one has seen already may have changed. */
  | { readonly kind: "scanning"; readonly done: Promise<void>; again: Promise<void> | undefined };

export class Scanner {
  readonly #options: ScannerOptions;
  readonly #queue: RoundQueue;
  readonly #vanished = new Vanished();
  readonly #retries: DelayQueue<string, Suspect>;
  readonly #problemRetries: DelayQueue<string, Suspect>;
  readonly #secondLooks: DelayQueue<RelativePath, undefined>;
  readonly #walksLater: DelayQueue<string, undefined>;
  readonly #listingRetries: DelayQueue<string, number>;
  /** How often directories have been tried again that cannot be listed. */
  readonly #listingAttempts = new Map<string, number>();
  readonly #problems: Problems;
  readonly #schedule: RescanSchedule;
  readonly #deferred: Suspect[] = [];
  readonly #leftovers: string[] = [];
  #heldSecondLooks: RelativePath[] = [];
  #deliveries: Promise<void> = Promise.resolve();
  #scan: ScanState = { kind: "idle" };
  #walks = 0;
  /** Full scans that are still reading the tree: until then, what is new may have been moved. */
  #isReadingTree = false;
  #scannedFiles = 0;
  #lastHintMs = 0;
  /** Of what is ignored, too. */
  #lastAnyHintMs = -Infinity;
  /** The path of the last hints, if they are alone (ALONE_MS). */
  #aloneHint: string | undefined;
  #isStopped = false;

  constructor(options: ScannerOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#queue = new RoundQueue({ clock, runRound: (suspects, claim) => this.#runRound(suspects, claim) });
    const add = (due: readonly (readonly [string, Suspect])[]): void => {
      for (const [, suspect] of due) this.#add(suspect);
    };
    this.#retries = new DelayQueue({ clock, sizeMax: RETRIES_MAX, join: joined, onDue: add });
    this.#problemRetries = new DelayQueue({ clock, sizeMax: RETRIES_MAX, join: joined, onDue: add });
    this.#secondLooks = new DelayQueue({
      clock,
      sizeMax: VANISHED_PATHS_MAX,
      onDue: (due) => this.#lookAgain(due.map(([path]) => path)),
    });
    const walk = (due: readonly (readonly [string, unknown])[]): void => {
      void this.#walk(due.map(([diskPath]) => this.#asSpelt(diskPath)));
    };
    this.#walksLater = new DelayQueue<string, undefined>({ clock, sizeMax: RETRIES_MAX, onDue: walk });
    this.#listingRetries = new DelayQueue({
      clock,
      sizeMax: RETRIES_MAX,
      onDue: (due) => {
        for (const [diskPath, attempt] of due) this.#listingAttempts.set(diskPath, attempt);
        walk(due);
      },
    });
    this.#problems = new Problems(options.onProblem, options.onSolved);
    this.#schedule = new RescanSchedule({
      clock,
      random,
      scan: () => void this.fullScan(),
      isQuiet: (forMs) => this.isQuiet && clock.monotonic() - this.#lastHintMs >= forMs,
    });
  }

  /** True when nothing waits to be looked at, read or reported. Problems that are tried again now and then do not count. */
  get isQuiet(): boolean {
    const waiting = this.#queue.size + this.#retries.size + this.#vanished.size + this.#walksLater.size;
    return waiting + this.#walks + this.#deferred.length === 0 && this.#scan.kind === "idle";
  }

  /** True while a full scan runs. */
  get isScanning(): boolean {
    return this.#scan.kind === "scanning";
  }

  /** What the running (or last) full scan has seen so far: files, directories and symlinks. */
  get scannedFiles(): number {
    return this.#scannedFiles;
  }

  /** Something may have happened at `diskPath` (relative, the disk's spelling): looked at within milliseconds. */
  hint(diskPath: string): void {
    if (this.#isStopped || diskPath === "") return;
    this.#noteHint(diskPath);
    if (this.#isIgnoredAnyway(diskPath)) return;
    this.#lastHintMs = this.#options.clock.monotonic();
    this.#add(suspect(diskPath, { isUrgent: true }));
  }

  /** Reads the file once more, whatever its times say. */
  readAgain(diskPath: string): void {
    this.#add(suspect(diskPath, { isRacy: true }));
  }

  /** Something may have happened anywhere below `diskPath`. */
  hintSubtree(diskPath: string): void {
    this.#walkLater(diskPath, 0);
  }

  /** Hints may have been lost: a full scan follows as soon as it is quiet. */
  overflow(): void {
    if (!this.#isStopped) this.#schedule.scanWhenQuiet();
  }

  /** The ignore rules are others now: what they let in is found, what they keep out is left as the index has it. */
  rulesChanged(): void {
    this.#vanished.clear();
    this.#secondLooks.clear();
    this.#heldSecondLooks = [];
    void this.fullScan();
  }

  /**
   * Compares the whole folder with the index. Resolves when everything that it found has been reported, apart from
   * deletions and unsettled files, which wait for another look. Never rejects. From the first one on, the folder is
   * scanned again now and then.
   */
  fullScan(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    if (this.#scan.kind === "scanning") {
      const { done } = this.#scan;
      this.#scan.again ??= done.then(() => this.fullScan());
      return this.#scan.again;
    }
    const done = this.#runFullScan();
    this.#scan = { kind: "scanning", done, again: undefined };
    return done;
  }

  /** What is left in a directory that should go, none of it deeper than directly inside. */
  async leftIn(directory: string): Promise<LeftInDirectory> {
    const { jobs, identity, spelling, ignore } = this.#options;
    const result = await jobs.run("scan", { identity, directories: [directory] });
    const listing = result.kind === "scanned" ? result.directories[0]?.listing : undefined;
    if (listing?.kind === "gone") return { kind: "nothing" };
    if (listing?.kind !== "listed") return { kind: "others", diskPaths: [directory] };
    const path = spelling.fromDisk(directory);
    const children = [...unpackChildren(listing.children)];
    const others = children.filter(({ name, signature }) => {
      const child = spelling.childFromDisk(path, name);
      return child === undefined || !ignore().isIgnored(child, signature?.kind === "directory");
    });
    if (others.length > 0) return { kind: "others", diskPaths: others.map(({ name }) => `${directory}/${name}`) };
    return { kind: children.length > 0 ? "ignored" : "nothing" };
  }

  /** Looks at nothing any more. What a running job finds is not reported. */
  stop(): void {
    this.#isStopped = true;
    this.#schedule.stop();
    this.#queue.stop();
    for (const queue of [this.#retries, this.#problemRetries]) queue.clear();
    for (const queue of [this.#walksLater, this.#listingRetries]) queue.clear();
    this.#secondLooks.clear();
    this.#vanished.clear();
    this.#deferred.length = 0;
  }

  #noteHint(diskPath: string): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#lastAnyHintMs >= ALONE_MS) this.#aloneHint = diskPath;
    else if (diskPath !== this.#aloneHint) this.#aloneHint = undefined;
    this.#lastAnyHintMs = nowMs;
  }

  /** True if nothing that happens here now can be more than this path's deletion. */
  #isAlone(diskPath: string): boolean {
    const isReading = this.#isReadingTree || this.#walks > 0 || this.#walksLater.size > 0;
    return this.#aloneHint === diskPath && !isReading && this.#options.keepsModes && this.#options.hasPromptHints();
  }

  #isIgnoredAnyway(diskPath: string): boolean {
    const path = this.#options.spelling.fromDisk(diskPath);
    const rules = this.#options.ignore();
    return path !== undefined && rules.isIgnored(path, false) && rules.isIgnored(path, true);
  }

  #add(added: Suspect): void {
    if (this.#isStopped) return;
    if (added.isUrgent && this.#queue.urgentCount >= DIRTY_PATHS_MAX) return this.overflow();
    this.#queue.add(added);
  }

  async #runRound(suspects: readonly Suspect[], claim: (diskPath: string) => boolean): Promise<void> {
    try {
      const isSameRoot = await runRound(this.#roundContext(claim), suspects);
      if (!isSameRoot) this.#noteRootChanged();
      if (!this.#isStopped) this.#options.spelling.save();
    } catch (error) {
      // A job threw, or the index refused what was found: neither says anything about the paths.
      for (const suspect of suspects) this.#noteProblem(suspect, failureOf(error));
    }
  }

  #roundContext(claim: (diskPath: string) => boolean): RoundContext {
    const { store, jobs, identity, spelling, ignore, isBusy, inlineBytesMax, keepsModes, clock } = this.#options;
    return {
      store,
      jobs,
      identity,
      spelling,
      ignore,
      isBusy,
      inlineBytesMax,
      keepsModes,
      nowMs: () => clock.now(),
      pause: (delayMs) => this.#pause(delayMs),
      vanished: this.#vanished,
      claim,
      retry: (suspect) => this.#retry(suspect),
      retryAfter: (suspect, delayMs) => this.#retryAfter(suspect, delayMs),
      walkLater: (diskPath, delayMs) => this.#walkLater(diskPath, delayMs),
      lookAgain: (path, delayMs) => void this.#secondLooks.put(path, delayMs, undefined),
      lookAgainAtOnce: (diskPath) => this.#add(suspect(diskPath, { isUrgent: true, isSecondLook: true })),
      isAlone: (diskPath) => this.#isAlone(diskPath),
      onProblem: (suspect, problem) => this.#noteProblem(suspect, problem),
      onDirectory: (diskPath) => this.#options.onDirectory(diskPath),
      secondSpellings: () => this.#problems.withCode(SECOND_SPELLING.code),
      onSolved: (diskPath) => {
        this.#problems.solve("path", diskPath);
        // Something happened to a directory that could not be listed: another owner shows in no signature.
        if (this.#problems.has("listing", diskPath)) this.#walkLater(diskPath, 0);
      },
      onOverflow: () => this.overflow(),
      defer: (suspect) => this.#defer(suspect),
      deliver: (build) => this.#deliver(build),
    };
  }

  #deliver(build: () => readonly Observation[]): Promise<void> {
    const delivered = this.#deliveries.then(async () => {
      if (this.#isStopped) return;
      const batch = build();
      if (batch.length > 0) await this.#options.onObservations(batch);
      // Other work gets its turn between large batches.
      if (batch.length > LARGE_BATCH) await this.#pause(0);
    });
    this.#deliveries = delivered.catch(() => undefined);
    return delivered;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(delayMs, resolve));
  }

  #retry(again: Suspect): void {
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** again.attempt);
    this.#retryAfter({ ...again, attempt: again.attempt + 1 }, delayMs);
  }

  #retryAfter(again: Suspect, delayMs: number): void {
    if (!this.#isStopped && !this.#retries.put(again.diskPath, delayMs, again)) this.overflow();
  }

  #noteProblem(troubled: Suspect, problem: Problem): void {
    if (this.#isStopped) return;
    this.#problems.add("path", troubled.diskPath, problem);
    const again = { ...troubled, isUrgent: false, attempt: troubled.attempt + 1 };
    this.#problemRetries.put(troubled.diskPath, retryDelayMs(troubled.attempt), again);
  }

  #noteRootChanged(): void {
    if (!this.#isStopped) this.#options.onRootChanged();
  }

  #lookAgain(paths: readonly RelativePath[]): void {
    // What a scan has not come to yet may be where these have been moved to.
    if (this.#isReadingTree) {
      this.#heldSecondLooks.push(...paths);
      return;
    }
    const { spelling } = this.#options;
    // What is in a directory is reported before the directory itself.
    for (const path of paths.toReversed()) {
      if (this.#vanished.has(path)) this.#add(suspect(spelling.toDisk(path), { isSecondLook: true }));
    }
  }

  #defer(deferred: Suspect): boolean {
    if (!this.#isReadingTree || this.#deferred.length >= DEFERRED_FILES_MAX) return false;
    if (this.#options.store.liveCount === 0) return false;
    this.#deferred.push(deferred);
    return true;
  }

  #walkLater(diskPath: string, delayMs: number): void {
    if (!this.#isStopped && !this.#walksLater.put(diskPath, delayMs, undefined)) this.overflow();
  }

  async #runFullScan(): Promise<void> {
    this.#schedule.noteScan();
    this.#scannedFiles = 0;
    this.#isReadingTree = true;
    await this.#walk([""]);
    await this.#queue.untilNoBulk();
    this.#isReadingTree = false;
    for (const suspect of this.#deferred.splice(0)) this.#add(suspect);
    await this.#queue.untilNoBulk();
    this.#schedule.noteScan();
    this.#scan = { kind: "idle" };
    this.#lookAgain(this.#heldSecondLooks.splice(0));
    await this.#sweepLeftovers();
  }

  async #sweepLeftovers(): Promise<void> {
    const diskPaths = this.#leftovers.splice(0);
    if (diskPaths.length === 0 || this.#isStopped) return;
    const { jobs, identity, clock } = this.#options;
    const request = { identity, diskPaths, beforeMs: clock.now() - LEFTOVER_AGE_MS };
    // What cannot be removed now is found again.
    await jobs.run("leftovers", request).catch(() => undefined);
  }

  /** As its name is spelt by now: where either form of a name is found, walks of both would call for each other for ever. */
  #asSpelt(diskPath: string): string {
    const { spelling } = this.#options;
    const path = spelling.fromDisk(diskPath);
    return path === undefined ? diskPath : spelling.toDisk(path);
  }

  async #walk(start: readonly string[]): Promise<void> {
    this.#walks++;
    try {
      if (!(await walkDirectories(this.#walkContext(), start))) this.#noteRootChanged();
    } catch (error) {
      // The scan that follows solves it.
      if (!this.#isStopped) this.#problems.add("listing", start[0] ?? "", failureOf(error));
      this.overflow();
    }
    this.#walks--;
  }

  #walkContext(): WalkContext {
    const { store, jobs, identity, spelling, ignore } = this.#options;
    return {
      store,
      jobs,
      identity,
      spelling,
      ignore,
      hasRoom: () => this.#queue.hasRoom(),
      suspect: (diskPath, isWalked) => this.#add(suspect(diskPath, { isWalked })),
      hasProblems: () => this.#problems.size > 0,
      onSame: (diskPath) => this.#problems.solve("path", diskPath),
      onUnreadable: (directory, problem) => {
        this.#problems.add("listing", directory, problem);
        const attempt = this.#listingAttempts.get(directory) ?? 0;
        this.#listingRetries.put(directory, retryDelayMs(attempt), attempt + 1);
      },
      onReadable: (directory) => {
        this.#listingAttempts.delete(directory);
        this.#problems.solve("listing", directory);
      },
      onLeftover: (diskPath) => {
        if (this.#isReadingTree && this.#leftovers.length < LEFTOVERS_MAX) this.#leftovers.push(diskPath);
      },
      onScanned: (paths) => {
        this.#scannedFiles += paths;
      },
    };
  }
}

function retryDelayMs(attempt: number): number {
  return Math.min(PROBLEM_RETRY_MS_MAX, PROBLEM_RETRY_MS_MIN * 2 ** attempt);
}

function failureOf(error: unknown): Problem {
  return { code: "EJOB", message: `Cannot look at it: ${messageOf(error)}.` };
}
