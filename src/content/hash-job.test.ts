import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { CHUNK_SIZE_BYTES_MAX, CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { signatureOf } from "../index/signature.ts";
import { contentHash, loadBlake3 } from "./blake3.ts";
import { nextCut } from "./chunker.ts";
import { hashFiles, type HashOutcome } from "./hash-job.ts";
import { contentIdOf, parseManifest } from "./manifest.ts";

const blake3 = loadBlake3({ portable: false });
const root = temporaryDirectory();
after(() => removeDirectory(root));

function hashOne(file: string, options: { inlineBytesMax?: number; fs?: FileSystem } = {}): HashOutcome {
  const { inlineBytesMax = 0, fs = nodeFileSystem } = options;
  const [outcome, ...rest] = hashFiles(fs, blake3, { root, files: [file], inlineBytesMax }).outcomes;
  assert.ok(outcome !== undefined && rest.length === 0);
  return outcome;
}

function hashed(outcome: HashOutcome): Extract<HashOutcome, { kind: "hashed" }> {
  assert.ok(outcome.kind === "hashed", outcome.kind);
  return outcome;
}

/** The real file system, with something done at the last read. */
function disturbed(action: (path: string) => void, path: string): FileSystem {
  return {
    ...nodeFileSystem,
    read(descriptor, target, position) {
      const count = nodeFileSystem.read(descriptor, target, position);
      action(path);
      return count;
    },
  };
}

const SIZES = [0, 1, 5000, CHUNK_SIZE_BYTES_MIN - 1, CHUNK_SIZE_BYTES_MIN, CHUNK_SIZE_BYTES_MIN + 1, 1_000_000];
const LARGE_SIZES = [2 * CHUNK_SIZE_BYTES_MAX, 2 * CHUNK_SIZE_BYTES_MAX + 1, 7_654_321];

for (const size of [...SIZES, ...LARGE_SIZES]) {
  test(`a file of ${size} bytes gets the content ID of its chunks`, () => {
    const bytes = randomFillSync(new Uint8Array(size));
    writeFiles(root, { "dir/file": bytes });
    const outcome = hashed(hashOne("dir/file"));
    const lengths: number[] = [];
    const hashes: string[] = [];
    let start = 0;
    do {
      const cut = nextCut(bytes, start, size, true) ?? assert.fail();
      lengths.push(cut - start);
      hashes.push(contentHash(bytes.subarray(start, cut)));
      start = cut;
    } while (start < size);
    if (lengths.length === 1) {
      assert.equal(outcome.contentId, hashes[0]);
      assert.equal(outcome.manifest, undefined);
    } else {
      const manifest = parseManifest(outcome.manifest ?? new Uint8Array());
      assert.ok(manifest);
      assert.equal(outcome.contentId, contentIdOf(manifest));
      assert.deepEqual(
        lengths.map((_, index) => [manifest.lengthOf(index), manifest.hashOf(index)]),
        lengths.map((length, index) => [length, hashes[index]]),
      );
      assert.equal(manifest.size, size);
    }
    assert.deepEqual(outcome.signature, signatureOf(nodeFileSystem.lstat(join(root, "dir/file")) ?? assert.fail()));
  });
}

test("a file of equal bytes is cut at the maximum, and a manifest has no short chunk before its last", () => {
  writeFiles(root, { zeros: new Uint8Array(3 * CHUNK_SIZE_BYTES_MAX + 5) });
  const manifest = parseManifest(hashed(hashOne("zeros")).manifest ?? new Uint8Array());
  assert.equal(manifest?.count, 4);
  assert.equal(manifest.lengthOf(3), 5);
});

test("small content comes back when it is asked for, each in memory of its own", () => {
  writeFiles(root, { a: "first", b: "second", c: "x".repeat(100), empty: "" });
  const request = { root, files: ["a", "b", "c", "empty"], inlineBytesMax: 99 };
  const inlines = hashFiles(nodeFileSystem, blake3, request).outcomes.map((outcome) => hashed(outcome).inline);
  const texts = inlines.map((inline) => inline && Buffer.from(inline).toString());
  assert.deepEqual(texts, ["first", "second", undefined, ""]);
  assert.equal(hashed(hashOne("a")).inline, undefined);
});

test("what is no regular file, or not there, is unsettled", () => {
  writeFiles(root, { "kinds/file": "x" });
  fs.symlinkSync("file", join(root, "kinds/link"));
  for (const file of ["kinds", "kinds/link", "kinds/nothing", "kinds/file/below"]) {
    assert.deepEqual(hashOne(file), { kind: "unsettled" }, file);
  }
});

test("nothing above a file may be a symlink, not even for a moment", () => {
  const outside = temporaryDirectory();
  try {
    writeFiles(outside, { secret: "not ours" });
    writeFiles(root, { "detour/deep/secret": "ours", "detour/plain": "ours" });
    const swap = (): void => {
      fs.rmSync(join(root, "detour/deep"), { recursive: true });
      fs.symlinkSync(outside, join(root, "detour/deep"));
    };
    const swapping = { ...nodeFileSystem, openForReading: onceBefore(swap) };
    const request = { root, files: ["detour/deep/secret", "detour/plain"], inlineBytesMax: 100 };
    const [secret, plain] = hashFiles(swapping, blake3, request).outcomes;
    assert.deepEqual(secret, { kind: "unsettled" });
    assert.equal(plain?.kind, "hashed");
  } finally {
    removeDirectory(outside);
  }
});

function onceBefore(action: () => void): FileSystem["openForReading"] {
  let done = false;
  return (path) => {
    if (!done) action();
    done = true;
    return nodeFileSystem.openForReading(path);
  };
}

const MTIME_US = 1_700_000_000_123_456;

/** Changes within one tick of the kernel's clock (some ms) leave one and the same ctime: waits for the next one. */
function waitForClockTick(path: string): void {
  const { ctimeNs } = fs.statSync(path, { bigint: true });
  const probe = join(root, "probe");
  const deadline = performance.now() + 10_000;
  do {
    fs.writeFileSync(probe, "x");
    assert.ok(performance.now() < deadline, "the clock stands still");
  } while (fs.statSync(probe, { bigint: true }).ctimeNs <= ctimeNs);
}

const DISTURBANCES: Readonly<Record<string, (path: string) => void>> = {
  "is appended to": (path) => fs.appendFileSync(path, "more"),
  "is written in place, with its old time put back": (path) => {
    waitForClockTick(path);
    const descriptor = fs.openSync(path, "r+");
    fs.writeSync(descriptor, "Z", 3);
    fs.closeSync(descriptor);
    nodeFileSystem.setTimes(path, MTIME_US);
  },
  "is truncated": (path) => fs.truncateSync(path, 10),
  "is replaced by another file of the same size and time": (path) => {
    fs.writeFileSync(`${path}.new`, new Uint8Array(fs.statSync(path).size));
    nodeFileSystem.setTimes(`${path}.new`, MTIME_US);
    fs.renameSync(`${path}.new`, path);
  },
  "is deleted": (path) => fs.rmSync(path, { force: true }),
  "becomes a directory": (path) => {
    fs.rmSync(path, { recursive: true });
    fs.mkdirSync(path);
  },
};

for (const [what, action] of Object.entries(DISTURBANCES)) {
  for (const size of [3000, 3_000_000]) {
    test(`a file of ${size} bytes that ${what} while it is read is unsettled`, () => {
      const path = join(root, "busy");
      fs.rmSync(path, { recursive: true, force: true });
      writeFiles(root, { busy: randomFillSync(new Uint8Array(size)) });
      nodeFileSystem.setTimes(path, MTIME_US);
      assert.deepEqual(hashOne("busy", { fs: disturbed(action, path) }), { kind: "unsettled" });
    });
  }
}

test("a file that grows for ever ends the job", () => {
  writeFiles(root, { growing: new Uint8Array(3_000_000) });
  const path = join(root, "growing");
  let reads = 0;
  const grow = (): void => {
    reads++;
    fs.appendFileSync(path, new Uint8Array(3_000_000));
  };
  assert.deepEqual(hashOne("growing", { fs: disturbed(grow, path) }), { kind: "unsettled" });
  assert.ok(reads < 5, `${reads} reads`);
});

test("a large file that is written to while it is read is left at once", () => {
  writeFiles(root, { image: randomFillSync(new Uint8Array(20_000_000)) });
  const path = join(root, "image");
  let reads = 0;
  const write = (): void => {
    if (++reads > 1) return;
    const descriptor = fs.openSync(path, "r+");
    fs.writeSync(descriptor, "changed", 19_000_000);
    fs.futimesSync(descriptor, 1, 1);
    fs.closeSync(descriptor);
  };
  assert.deepEqual(hashOne("image", { fs: disturbed(write, path) }), { kind: "unsettled" });
  assert.equal(reads, 1);
});

test("a file that cannot be read is a problem, and the others are hashed", () => {
  writeFiles(root, { one: "1", bad: "2", three: "3" });
  const failing: FileSystem = {
    ...nodeFileSystem,
    read(descriptor, target, position) {
      const count = nodeFileSystem.read(descriptor, target, position);
      if (target[0] === "2".charCodeAt(0)) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      return count;
    },
    openForReading(path) {
      if (path.endsWith("/three")) throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      return nodeFileSystem.openForReading(path);
    },
  };
  const openBefore = fs.readdirSync("/proc/self/fd").length;
  const { outcomes } = hashFiles(failing, blake3, { root, files: ["one", "bad", "three"], inlineBytesMax: 0 });
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "problem" ? outcome.problem.code : outcome.kind)),
    ["hashed", "EIO", "EACCES"],
  );
  assert.equal(fs.readdirSync("/proc/self/fd").length, openBefore);
});
