// Killed at each kind of call that puts things in place, and at ten points of a transfer, on either side: a path holds the
// old or the new content, whole; and what was interrupted is finished after the next start.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadBlake3 } from "../../src/content/blake3.ts";
import { hashFiles } from "../../src/content/hash-job.ts";
import { nodeFileSystem } from "../../src/edge/node-file-system.ts";
import { DsyncProcess } from "../support/dsync-process.ts";
import { machines, type Machine } from "../support/machines.ts";
import { hashOf, incompressible, snapshot, waitForEqualTrees, writeFiles } from "../support/trees.ts";
import { waitFor } from "../support/wait.ts";

interface FatalCall {
  readonly call: string;
  /** Only calls with these count (of a rename, the old name): relative to the folder. `largeId`: the large file's content. */
  readonly paths?: (round: number, largeId: string) => readonly string[];
  /** The how manieth of one thread; the first by default. */
  readonly when?: number;
}

const FATAL_CALLS: readonly FatalCall[] = [
  { call: "link", paths: () => ["small.txt"] },
  { call: "link", paths: (round) => [`new ${round}.txt`] },
  // A copy, which gets its name by a link, if the deletion of the old name is not known yet.
  { call: "rename,link", paths: (round) => [`moves ${round - 1}.bin`, `moves ${round}.bin`] },
  { call: "rename", paths: (_, largeId) => [`.dsync/staging/${largeId}`] },
  { call: "symlink" },
  { call: "unlink", paths: (round) => [`new ${round - 1}.txt`] },
  { call: "mkdir", paths: (round) => [`dir ${round}/deep`] },
  { call: "rmdir", paths: (round) => [`dir ${round - 1}/deep`] },
  { call: "fchmod", paths: () => ["touched.txt"] },
  { call: "utimensat", paths: () => ["touched.txt"] },
  { call: "fchmod", paths: (_, largeId) => [`.dsync/staging/${largeId}`] },
  { call: "utimensat", paths: (_, largeId) => [`.dsync/staging/${largeId}`] },
  { call: "pwrite64", paths: (_, largeId) => [`.dsync/staging/${largeId}`] },
  { call: "pwrite64", paths: () => [".dsync/index/data.mdb"], when: 10 },
];

function whyNoStrace(): string | false {
  if (process.platform !== "linux") return "needs Linux, for strace";
  try {
    execFileSync("strace", ["-f", "-o", "/dev/null", "-e", "inject=rmdir:signal=KILL:when=1", "true"]);
    return false;
  } catch (error) {
    return `needs strace: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One round's tree: edits, moves, deletes and new files against the round before. */
function writeRound(folder: string, round: number): void {
  const before = round - 1;
  writeFiles(folder, {
    "small.txt": `small ${round}`,
    "touched.txt": "always the same",
    "large.bin": incompressible(700_000, round),
    [`new ${round}.txt`]: `new ${round}`,
    [`dir ${round}/deep/file.txt`]: `file ${round}`,
    [`moves ${round}.bin`]: incompressible(200_000, 1_000),
  });
  fs.rmSync(join(folder, "link"), { force: true });
  fs.symlinkSync(`new ${round}.txt`, join(folder, "link"));
  for (const name of ["small.txt", "touched.txt"]) fs.chmodSync(join(folder, name), round % 2 === 0 ? 0o600 : 0o644);
  for (const gone of [`dir ${before}`, `new ${before}.txt`, `moves ${before}.bin`]) {
    fs.rmSync(join(folder, gone), { recursive: true, force: true });
  }
}

function contentIdAt(folder: string, path: string): string {
  const blake3 = loadBlake3({ portable: false });
  const [outcome] = hashFiles(nodeFileSystem, blake3, { root: folder, files: [path], inlineBytesMax: 0 }).outcomes;
  assert.ok(outcome?.kind === "hashed");
  return outcome.contentId;
}

/** What is at each path, without times (a process that is killed may leave a new file without its final mode). */
function contentsOf(folder: string): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const path of snapshot(folder).keys()) {
    const full = join(folder, path);
    const stat = fs.lstatSync(full);
    contents.set(path, stat.isFile() ? hashOf(full) : stat.isSymbolicLink() ? fs.readlinkSync(full) : "directory");
  }
  return contents;
}

function assertOldOrNew(folder: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const now = contentsOf(folder);
  for (const path of new Set([...now.keys(), ...before.keys(), ...after.keys()])) {
    const isComplete = [before.get(path), after.get(path)].includes(now.get(path));
    assert.ok(isComplete, `${path} holds ${now.get(path)}, which is neither the old nor the new content`);
  }
}

test("killed at each kind of change to the disk", { skip: whyNoStrace() }, async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  writeRound(a.folder, 1);
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  for (const [index, { call, paths, when = 1 }] of FATAL_CALLS.entries()) {
    const round = index + 2;
    await b.stop();
    const before = contentsOf(b.folder);
    writeRound(a.folder, round);
    const after = contentsOf(a.folder);
    const only = paths?.(round, contentIdAt(a.folder, "large.bin")) ?? [];
    const prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"];
    prefix.push(...only.flatMap((path) => ["-P", join(b.folder, path)]));
    prefix.push("-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${when}`);
    const doomed = DsyncProcess.launch({ folder: b.folder, home: b.home, peers: [a.instance.port], prefix });
    t.after(() => doomed.kill());
    const where = `${call} ${only.join()}`;
    await waitFor(() => doomed.hasEnded, { until: `the end at ${where}`, intervalMs: 50 });
    assert.equal(await doomed.exited(), null, `ended by itself: ${doomed.stderr}`);
    assertOldOrNew(b.folder, before, after);
    await b.start({ peers: [a.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    const status = await b.instance.waitForSync();
    assert.deepEqual(status.failed, [], where);
    assert.equal(status.conflicts, 0, where);
  }
  await waitFor(() => fs.readdirSync(join(b.folder, ".dsync/staging")).length === 0, { until: "an empty staging" });
});

test("an edit of what was put in place right before a kill is not written over", { skip: whyNoStrace() }, async (t) => {
  const [a, b] = machines(t, 2) as [Machine, Machine];
  fs.writeFileSync(join(a.folder, "large.bin"), incompressible(700_000, 1));
  const announced = hashOf(join(a.folder, "large.bin"));
  const staged = join(b.folder, ".dsync/staging", contentIdAt(a.folder, "large.bin"));
  await a.start();
  // Its name in staging goes last: with this kill the file keeps both.
  const prefix = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", staged];
  prefix.push("-e", "trace=unlink", "-e", "inject=unlink:signal=KILL:when=1");
  const doomed = DsyncProcess.launch({ folder: b.folder, home: b.home, peers: [a.instance.port], prefix });
  t.after(() => doomed.kill());
  await waitFor(() => doomed.hasEnded, { until: "the kill", intervalMs: 50 });
  assert.equal(fs.lstatSync(staged).nlink, 2);
  fs.truncateSync(join(b.folder, "large.bin"), 350_000);
  const edited = hashOf(join(b.folder, "large.bin"));
  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  const status = await b.instance.waitForSync();
  assert.deepEqual(status.failed, []);
  // Nobody knows here whether the edit replaced what was announced: both are kept.
  assert.deepEqual([...contentsOf(b.folder).values()].toSorted(), [announced, edited].toSorted());
  assert.equal(hashOf(join(b.folder, "large.bin")), edited);
});

const LARGE_BYTES = 40_000_000;
/** What is left of the large file takes so long at least: longer than a busy machine takes to see a tenth, and to kill. */
const REST_SECONDS = 2;

for (const who of ["sender", "receiver"] as const) {
  test(`the ${who} is killed at each tenth of a transfer`, async (t) => {
    const [a, b] = machines(t, 2) as [Machine, Machine];
    fs.writeFileSync(join(a.folder, "large.bin"), incompressible(LARGE_BYTES, 1));
    for (let index = 0; index < 400; index++) {
      writeFiles(a.folder, { [`small ${index % 10}/${index}`]: incompressible(20_000, index) });
    }
    const expected = contentsOf(a.folder);
    const [killed, other] = who === "sender" ? [a, b] : [b, a];
    // One channel: the content arrives from its beginning to its end, so that its size in staging says how far it is.
    await other.start({ args: ["--max-concurrent-transfers", "1"] });
    for (let tenth = 0; tenth < 10; tenth++) {
      const restBytes = (LARGE_BYTES * (10 - tenth)) / 10;
      const rate = `${restBytes / REST_SECONDS / 1000}KB/s`;
      const args = ["--max-concurrent-transfers", "1", "--rate-limit", rate];
      // It dials: the other one waits longer from failure to failure.
      await killed.start({ args, peers: [other.instance.port] });
      const isSeen = (): boolean => arrivedBytes(b.folder) > LARGE_BYTES - restBytes;
      await waitFor(isSeen, { until: `more than ${tenth} tenths`, intervalMs: 2 });
      await killed.kill();
      assert.ok(!fs.existsSync(join(b.folder, "large.bin")), `nothing was left to interrupt after ${tenth} tenths`);
      assertOldOrNew(b.folder, new Map(), expected);
    }
    await killed.start({ peers: [other.instance.port] });
    await waitForEqualTrees([a.folder, b.folder]);
    assert.deepEqual(contentsOf(b.folder), expected);
    const status = await b.instance.waitForSync();
    assert.equal(status.conflicts, 0);
    assert.deepEqual(status.failed, []);
  });
}

/** Of the large file. */
function arrivedBytes(folder: string): number {
  if (fs.existsSync(join(folder, "large.bin"))) return Number.POSITIVE_INFINITY;
  const staging = join(folder, ".dsync/staging");
  return Math.max(0, ...fs.readdirSync(staging).map((name) => sizeOf(join(staging, name))));
}

function sizeOf(path: string): number {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
