import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { MemoryDisk } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem, type BeforeCall } from "../../test/support/memory-file-system.ts";
import { systemError } from "../../test/support/system-error.ts";
import { removeDirectory, rootIdentity, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { ContentHash } from "../core/ids.ts";
import { TRASH_SHARE_MAX, TRASH_TRIM_AGE_MS_MIN } from "../core/limits.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { sweep, sweepLeftovers, unstage, type SweepRequest, type SweepResult } from "./sweep-job.ts";
import { trashBatchName } from "./trash.ts";
import { batchesToTrim } from "./trim-trash.ts";

const WANTED = "a".repeat(64) as ContentHash;
const UNWANTED = "b".repeat(64);
const NOW = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;
const usual = { wanted: [], stagedBeforeMs: Infinity, trashBeforeMs: 0, trimAtMs: undefined };
let root = "";

beforeEach(() => {
  root = temporaryDirectory();
  for (const directory of ["staging", "trash"]) fs.mkdirSync(join(root, ".dsync", directory), { recursive: true });
});
afterEach(() => removeDirectory(root));

function run(request: Partial<SweepRequest>, freeBytes = 2 ** 40): SweepResult {
  const context = { fs: { ...nodeFileSystem, freeBytes: () => freeBytes }, blake3: loadBlake3({ portable: false }) };
  return sweep(context, { root, ...usual, ...request });
}

const staging = (): string[] => fs.readdirSync(join(root, ".dsync/staging"));
const trash = (): string[] => fs.readdirSync(join(root, ".dsync/trash")).toSorted((a, b) => (a < b ? -1 : 1));

test("at a start, staging keeps what is wanted and nothing else", () => {
  writeFiles(join(root, ".dsync/staging"), { [WANTED]: "1", [UNWANTED]: "2", "new-1-0": "3", "restored-0": "4" });
  fs.mkdirSync(join(root, ".dsync/staging/a person's"));
  assert.deepEqual(run({ wanted: [WANTED] }).staged, [WANTED]);
  assert.deepEqual(new Set(staging()), new Set([WANTED, "a person's"]));
});

test("old leftovers with our own names go; others, younger ones and what is behind a symlink stay", () => {
  const stay = ["dir/.dsync-1-x.part", "dir/mine.part", ".dsync-1-0.part.txt"];
  const ours = [".dsync-1-0.part", "dir/.dsync-12-3.part"];
  writeFiles(root, Object.fromEntries([...stay, ...ours, "outside/.dsync-1-1.part"].map((path) => [path, "x"])));
  fs.symlinkSync("outside", join(root, "link"));
  fs.mkdirSync(join(root, ".dsync-5-5.part"));
  const diskPaths = [...stay, ...ours, "link/.dsync-1-1.part", ".dsync-5-5.part", ".dsync-9-9.part"];
  const context = { fs: nodeFileSystem, blake3: loadBlake3({ portable: false }) };
  const remove = (beforeMs: number): number =>
    sweepLeftovers(context, { identity: rootIdentity(root), diskPaths, beforeMs }).removed;
  assert.equal(remove(Date.now() - HOUR_MS), 0);
  assert.equal(remove(Date.now() + HOUR_MS), 2);
  for (const path of ours) assert.ok(!fs.existsSync(join(root, path)), path);
  for (const path of [...stay, "outside/.dsync-1-1.part", ".dsync-5-5.part"])
    assert.ok(fs.existsSync(join(root, path)), path);
});

test("while it runs, staging that was just written to stays, wanted or not", () => {
  writeFiles(join(root, ".dsync/staging"), { [UNWANTED]: "2", "new-1-0": "3" });
  // Put in place with an old time, as the last step before the rename.
  fs.utimesSync(join(root, ".dsync/staging/new-1-0"), 1, 1);
  run({ stagedBeforeMs: Date.now() - HOUR_MS });
  assert.equal(staging().length, 2);
  run({ stagedBeforeMs: Date.now() + HOUR_MS });
  assert.deepEqual(staging(), []);
});

test("the trash goes by age, and by its share of the disk: the oldest first, never what is younger than a day", () => {
  const ages = [20, 3, 2, 0.5, 0.1].map((days) => trashBatchName(NOW - days * 86_400_000));
  for (const name of ages) writeFiles(join(root, ".dsync/trash", name), { "d/file": Buffer.alloc(1000) });
  run({ trashBeforeMs: NOW - 14 * 86_400_000 });
  assert.deepEqual(trash(), ages.slice(1));
  assert.equal(run({ trimAtMs: NOW }).trimmed.files, 0, "plenty is free");
  assert.equal(run({ trimAtMs: NOW }, 900).trimmed.files, 1, "3,000 of 4,900 bytes are enough");
  assert.deepEqual(trash(), ages.slice(2));
  assert.deepEqual(run({ trimAtMs: NOW }, 0).trimmed, { files: 1, bytes: 1000, failed: [] });
  assert.deepEqual(trash(), ages.slice(3), "nothing is free, and the last day stays");
});

test("no more is trimmed than it takes", () => {
  const batch = fc.record({ ageMs: fc.nat(30 * 86_400_000), bytes: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 20 }), fc.nat(2000), (ages, freeBytes) => {
      const batches = ages
        .map(({ ageMs, bytes }, index) => ({ name: String(index), timeMs: NOW - ageMs, bytes }))
        .toSorted((a, b) => a.timeMs - b.timeMs);
      const trimmed = batchesToTrim(batches, { freeBytes, nowMs: NOW });
      const sum = (of: readonly { bytes: number }[]): number => of.reduce((total, { bytes }) => total + bytes, 0);
      const bytesMax = (sum(batches) + freeBytes) * TRASH_SHARE_MAX;
      assert.deepEqual(trimmed, batches.slice(0, trimmed.length), "the oldest");
      assert.ok(trimmed.every(({ timeMs }) => NOW - timeMs >= TRASH_TRIM_AGE_MS_MIN));
      if (trimmed.length > 0) assert.ok(sum(batches.slice(trimmed.length - 1)) > bytesMax, "not one too many");
      const next = batches[trimmed.length];
      const isEnough = sum(batches.slice(trimmed.length)) <= bytesMax;
      assert.ok(isEnough || next === undefined || NOW - next.timeMs < TRASH_TRIM_AGE_MS_MIN, "and not one too few");
    }),
  );
});

/** A folder with one wanted and one other file in staging. */
function folder(beforeCall: BeforeCall = () => {}): FileSystem {
  const disk = new MemoryDisk(() => 0n);
  const plain = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging", "/f/.dsync/trash"]) plain.makeDirectory(path, 0o700);
  for (const name of [WANTED, "new-1-2"]) plain.close(plain.createFile(`/f/.dsync/staging/${name}`, 0o600));
  return createMemoryFileSystem(disk, beforeCall);
}

test("a disk that fails is told of, and no reason not to start (simulation, seed 181)", () => {
  for (const failing of ["lstat", "readDirectory", "unlink"] as const) {
    let isFailing = true;
    const fs = folder((call, path) => {
      if (isFailing && call === failing) throw systemError("EIO", path);
    });
    const { problem } = sweep({ fs }, { root: "/f", ...usual, wanted: [WANTED] });
    assert.equal(problem?.code, "EIO", failing);
    isFailing = false;
    assert.equal(fs.readDirectory("/f/.dsync/staging").length, 2);
  }
});

test("unstaging goes on after what cannot be removed, and leaves it to the sweep", () => {
  const disk = new MemoryDisk(() => 0n);
  const before: BeforeCall = (call, path) => {
    if (call === "lstat" && path.endsWith("a")) throw systemError("EACCES", path);
    if (call === "unlink" && path.endsWith("b")) throw systemError("EIO", path);
  };
  const memory = createMemoryFileSystem(disk, before);
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging"]) memory.makeDirectory(path, 0o755);
  const names = ["a", "b", "c"].map((digit) => digit.repeat(64) as ContentHash);
  for (const name of names) memory.close(memory.createFile(`/f/.dsync/staging/${name}`, 0o600));
  const context = { fs: memory, blake3: loadBlake3({ portable: false }) };
  assert.deepEqual(unstage(context, { root: "/f", contentIds: names, onlyPlaced: false }), { removed: 1 });
  assert.deepEqual(
    memory.readDirectory("/f/.dsync/staging").map(({ name }) => name),
    names.slice(0, 2),
  );
});

test("what was staged stays for its fetch on a file system that does not count links", () => {
  const memory = createMemoryFileSystem(new MemoryDisk(() => 0n));
  for (const path of ["/f", "/f/.dsync", "/f/.dsync/staging"]) memory.makeDirectory(path, 0o755);
  const name = "a".repeat(64) as ContentHash;
  memory.close(memory.createFile(`/f/.dsync/staging/${name}`, 0o600));
  const lstat: typeof memory.lstat = (path) => {
    const stat = memory.lstat(path);
    return stat && { ...stat, links: 0 };
  };
  const context = { fs: { ...memory, lstat }, blake3: loadBlake3({ portable: false }) };
  assert.deepEqual(unstage(context, { root: "/f", contentIds: [name], onlyPlaced: true }), { removed: 0 });
});
