// A real folder, an index in memory, and a scanner between them, for tests: what the scanner reports is applied to the
// index the way an instance does it, and every batch is held against what a batch must be.

import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBlake3 } from "../../src/content/blake3.ts";
import { hashFiles } from "../../src/content/hash-job.ts";
import { hashPart } from "../../src/content/hash-part-job.ts";
import { contentHashFromBytes, parseReplicaId } from "../../src/core/ids.ts";
import { parentOf, parsePath, type RelativePath } from "../../src/core/path.ts";
import type { Problem } from "../../src/core/problem.ts";
import { systemClock, type Clock } from "../../src/edge/clock.ts";
import type { FileSystem } from "../../src/edge/file-system.ts";
import type { JobName, JobRunner, Jobs } from "../../src/edge/jobs.ts";
import { nodeFileSystem } from "../../src/edge/node-file-system.ts";
import { EMPTY_ENTRY, type Content, type Entry, type PathRecord } from "../../src/index/entry.ts";
import type { IndexStore } from "../../src/index/index-store.ts";
import { createMemoryStore } from "../../src/index/memory-store.ts";
import { mtimeUsOf } from "../../src/index/signature.ts";
import { ignoreLines, parseIgnoreRules, type IgnoreRules } from "../../src/watch/ignore-rules.ts";
import type { Observation } from "../../src/watch/observation.ts";
import type { RootIdentity } from "../../src/edge/root-identity.ts";
import { sweepLeftovers } from "../../src/transfer/sweep-job.ts";
import { lookAtPaths, scanDirectories, type ScanRequest, type ScanResult } from "../../src/watch/scan-job.ts";
import { Scanner } from "../../src/watch/scanner.ts";
import { Spelling } from "../../src/watch/spelling.ts";
import { drive } from "./drive.ts";
import { FakeClock } from "./fake-clock.ts";
import { waitFor } from "./wait.ts";

const blake3 = loadBlake3({ portable: false });

/** Deletions, unsettled and racy files are looked at again within seconds. */
const SIMULATED_MS_MAX = 60_000;

export interface ScannerWorldOptions {
  /** Whether the disk keeps modes; it does by default. */
  readonly keepsModes?: boolean;
  readonly ignore?: string;
  readonly fs?: FileSystem;
  readonly hasPromptHints?: boolean;
  /** A `FakeClock` moves as far as is needed; the real one by default. */
  readonly clock?: Clock;
}

/** One folder and its scanner. Close it. */
export class ScannerWorld {
  readonly root = fs.mkdtempSync(join(fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "dsync-scan-"));
  readonly store: IndexStore;
  readonly scanner: Scanner;
  readonly spelling: Spelling;
  readonly batches: (readonly Observation[])[] = [];
  /** Disk paths that were hashed, in order. */
  readonly hashed: string[] = [];
  /** Directories that a scan compared with the index, in order. */
  readonly compared: string[] = [];
  readonly problems = new Map<string, Problem>();
  readonly busy = new Set<string>();
  /** Batches that could not be applied as they were. */
  readonly applyErrors: unknown[] = [];
  rootChanges = 0;
  rules: IgnoreRules;
  /** Hears of each directory that a look found. */
  onDirectory: (diskPath: string) => void = () => {};
  /** Runs before each job. */
  beforeJob: (name: JobName) => void = () => {};
  readonly #fs: FileSystem;
  readonly #clock: Clock;

  constructor(options: ScannerWorldOptions = {}) {
    this.#fs = options.fs ?? nodeFileSystem;
    this.#clock = options.clock ?? systemClock;
    this.rules = rulesOf(options.ignore ?? "");
    fs.mkdirSync(join(this.root, ".dsync"));
    const replicaId = parseReplicaId("00000000000000aa");
    assert.ok(replicaId !== undefined);
    this.store = createMemoryStore({ replicaId, hash: (bytes) => blake3.hash(bytes) });
    this.spelling = new Spelling(this.store);
    this.scanner = new Scanner({
      store: this.store,
      jobs: this.#jobs(),
      clock: this.#clock,
      random: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
      identity: identityOf(this.root),
      spelling: this.spelling,
      ignore: () => this.rules,
      isBusy: (path) => this.busy.has(path),
      inlineBytesMax: 64 * 1024,
      keepsModes: options.keepsModes ?? true,
      hasPromptHints: () => options.hasPromptHints ?? false,
      onObservations: (batch) => this.#apply(batch),
      onDirectory: (diskPath) => this.onDirectory(diskPath),
      onRootChanged: () => this.rootChanges++,
      onProblem: (diskPath, problem) => this.problems.set(diskPath, problem),
      onSolved: (diskPath) => this.problems.delete(diskPath),
    });
  }

  close(): void {
    this.scanner.stop();
    fs.rmSync(this.root, { recursive: true, force: true });
    assert.deepEqual(this.applyErrors, []);
  }

  disk(path: string): string {
    return join(this.root, path);
  }

  /** Writes a file, with its directories. */
  write(path: string, content: string | Uint8Array = path): void {
    fs.mkdirSync(join(this.disk(path), ".."), { recursive: true });
    fs.writeFileSync(this.disk(path), content);
  }

  hint(...paths: readonly string[]): void {
    for (const path of paths) this.scanner.hint(path);
  }

  async quiet(): Promise<void> {
    await this.#until(() => this.scanner.isQuiet, "the scanner is quiet");
  }

  /** Scans the whole folder, to the end of the scan. */
  async scan(): Promise<void> {
    let isDone = false;
    void this.scanner.fullScan().then(() => (isDone = true));
    await this.#until(() => isDone, "the end of the scan");
  }

  /** Scans, settles, and forgets what was reported so far. */
  async settle(): Promise<void> {
    await this.scan();
    await this.quiet();
    this.assertMatchesDisk();
    this.forget();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    if (this.#clock instanceof FakeClock)
      await drive(this.#clock, condition, { what, simulatedMsMax: SIMULATED_MS_MAX });
    else await waitFor(condition, { until: what, intervalMs: 2 });
  }

  forget(): void {
    this.batches.length = 0;
    this.hashed.length = 0;
    this.compared.length = 0;
  }

  /** What was reported, one line each: `+ path`, `~ path` (touched), `- path`; `+ path < from` for moves. */
  get reported(): readonly string[] {
    return this.batches.flatMap((batch) => batch.map(lineOf));
  }

  setRules(text: string): void {
    this.rules = rulesOf(text);
  }

  /** The index's present state is exactly what is on the disk and not ignored. */
  assertMatchesDisk(): void {
    const onDisk = new Map<string, Content>();
    this.#readTree("", onDisk);
    const inIndex = new Map<string, Content>();
    for (const record of recordsBelow(this.store, undefined)) {
      const { live } = record.present;
      if (live !== undefined) inIndex.set(record.path, live.content);
    }
    assert.deepEqual(new Map([...inIndex].toSorted(byPath)), new Map([...onDisk].toSorted(byPath)));
  }

  #readTree(directory: string, into: Map<string, Content>): void {
    for (const name of fs.readdirSync(this.disk(directory))) {
      const diskPath = directory === "" ? name : `${directory}/${name}`;
      const path = parsePath(diskPath.normalize("NFC"));
      const stat = nodeFileSystem.lstat(this.disk(diskPath));
      if (path === undefined || stat === undefined || stat.kind === "other") continue;
      if (this.rules.isIgnored(path, stat.kind === "directory")) continue;
      const { mode } = stat;
      if (stat.kind === "directory") {
        into.set(path, { kind: "directory", mode });
        this.#readTree(diskPath, into);
      } else if (stat.kind === "symlink") {
        into.set(path, { kind: "symlink", target: fs.readlinkSync(this.disk(diskPath)) });
      } else {
        const [outcome] = hashFiles(nodeFileSystem, blake3, {
          root: this.root,
          files: [diskPath],
          inlineBytesMax: 0,
        }).outcomes;
        assert.equal(outcome?.kind, "hashed");
        const { contentId, signature } = outcome;
        into.set(path, { kind: "file", contentId, size: signature.size, mode, mtimeUs: mtimeUsOf(signature) });
      }
    }
  }

  #jobs(): JobRunner {
    const run = async <Name extends JobName>(
      name: Name,
      request: Jobs[Name]["request"],
    ): Promise<Jobs[Name]["result"]> => {
      // A turn of its own, as on a worker.
      await new Promise((resolve) => setImmediate(resolve));
      this.beforeJob(name);
      if ("directories" in request) return this.#scan(request);
      if ("paths" in request) return lookAtPaths(this.#fs, request);
      if ("diskPaths" in request && "beforeMs" in request) return sweepLeftovers({ fs: this.#fs, blake3 }, request);
      if ("from" in request) {
        if (request.from === 0) this.hashed.push(request.file);
        return hashPart(this.#fs, blake3, request);
      }
      assert.ok("inlineBytesMax" in request);
      this.hashed.push(...request.files);
      return hashFiles(this.#fs, blake3, request);
    };
    return { run, close: async () => {} };
  }

  #scan(request: ScanRequest): ScanResult {
    const result = scanDirectories(this.#fs, request);
    if (request.expected !== undefined && result.kind === "scanned") {
      for (const { directory, listing } of result.directories)
        if (listing.kind === "listed") this.compared.push(directory);
    }
    return result;
  }

  #apply(batch: readonly Observation[]): void {
    this.batches.push(batch);
    for (const observation of batch) applyToStore(this.store, observation);
    try {
      for (const observation of batch) this.#assertWellPlaced(observation);
    } catch (error) {
      this.applyErrors.push(error);
    }
  }

  /** What holds after every batch: nothing live below what is no directory. */
  #assertWellPlaced({ path }: Observation): void {
    const live = this.store.get(path)?.present.live;
    const parent = parentOf(path);
    if (live !== undefined && parent !== undefined) {
      assert.equal(this.store.get(parent)?.present.live?.content.kind, "directory", `${path} has no parent`);
    }
    if (live?.content.kind === "directory") return;
    for (const child of this.store.children(path)) {
      const isIgnored = this.rules.isIgnored(child.path, child.present.live?.content.kind === "directory");
      assert.ok(isIgnored || child.present.live === undefined, `${child.path} is live below ${path}`);
    }
  }
}

/** Stores what was observed as a change of this replica that all know of. */
export function applyToStore(store: IndexStore, observation: Observation): void {
  const { path } = observation;
  const before: PathRecord = store.get(path) ?? {
    path,
    known: EMPTY_ENTRY,
    present: EMPTY_ENTRY,
    signature: undefined,
    residue: false,
  };
  switch (observation.kind) {
    case "touched":
      return store.put({ ...before, signature: observation.signature });
    case "residue-gone":
      return store.put({ ...before, residue: false });
    case "absent": {
      const entry = nextEntry(store, undefined);
      return store.put({ ...before, known: entry, present: entry, signature: undefined });
    }
    case "present": {
      const { content, signature, manifest } = observation;
      if (manifest !== undefined && content.kind === "file") store.putManifest(content.contentId, manifest);
      const entry = nextEntry(store, content);
      return store.put({ path, known: entry, present: entry, signature, residue: false });
    }
  }
}

function nextEntry(store: IndexStore, content: Content | undefined): Entry {
  const dot = store.nextDot(1);
  const seen = [[dot.replica, dot.counter]] as const;
  return { seen, live: content === undefined ? undefined : { dot, stamp: dot.counter, author: "test", content } };
}

export function identityOf(root: string): RootIdentity {
  const folder = nodeFileSystem.lstat(root);
  const marker = nodeFileSystem.lstat(join(root, ".dsync"));
  assert.ok(folder !== undefined && marker !== undefined);
  return { root, device: folder.device, inode: folder.inode, markerInode: marker.inode };
}

/** The content ID of a file of one chunk. */
export function contentIdOf(text: string): string {
  return contentHashFromBytes(blake3.hash(Buffer.from(text)));
}

function rulesOf(text: string): IgnoreRules {
  return parseIgnoreRules(ignoreLines(text, "test"));
}

function* recordsBelow(store: IndexStore, directory: RelativePath | undefined): Generator<PathRecord> {
  for (const record of store.children(directory)) {
    yield record;
    yield* recordsBelow(store, record.path);
  }
}

function lineOf(observation: Observation): string {
  const { kind, path } = observation;
  if (kind === "present") {
    return observation.movedFrom === undefined ? `+ ${path}` : `+ ${path} < ${observation.movedFrom}`;
  }
  return `${{ touched: "~", absent: "-", "residue-gone": "x" }[kind]} ${path}`;
}

function byPath([a]: readonly [string, Content], [b]: readonly [string, Content]): number {
  return a < b ? -1 : 1;
}
