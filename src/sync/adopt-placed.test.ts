import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { removeDirectory, rootIdentity, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { contentHash, loadBlake3 } from "../content/blake3.ts";
import { systemClock } from "../edge/clock.ts";
import type { FileSystem } from "../edge/file-system.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { EMPTY_ENTRY, type Content, type Entry, type StatSignature } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { MemoryTables } from "../index/memory-tables.ts";
import type { RecordStore } from "../index/record-store.ts";
import { signatureOf } from "../index/signature.ts";
import { adoptPlaced } from "./adopt-placed.ts";

const blake3 = loadBlake3({ portable: false });
const MTIME_S = 1_000;
let root = "";
let tables: MemoryTables;
let store: RecordStore;
let counter = 0;

beforeEach(async () => {
  root = temporaryDirectory();
  fs.mkdirSync(join(root, ".dsync"));
  tables = new MemoryTables();
  await reopen("clean");
});
afterEach(() => removeDirectory(root));

async function reopen(previousStop: "clean" | "crash"): Promise<void> {
  if (counter > 0) await store.close();
  store = createMemoryStore({
    replicaId: replicaIdOf(0),
    hash: (bytes) => blake3.hash(bytes),
    tables,
    bootId: "boot",
    previousStop,
  });
}

function versionOf(content: Content): Entry {
  const dot = { replica: replicaIdOf(1), counter: ++counter };
  return { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: "desk", content } };
}

function fileOf(text: string, { mode = 0o644, mtimeS = MTIME_S } = {}): Content {
  const contentId = contentHash(Buffer.from(text), blake3);
  return { kind: "file", contentId, size: text.length, mode, mtimeUs: mtimeS * 1e6 };
}

/** The index wants `content` there, and holds `present` for what is there. */
function want(text: string, content: Content, present = EMPTY_ENTRY): Entry {
  const known = versionOf(content);
  const isThere = present.live !== undefined;
  const signature = isThere ? signatureAt(text) : undefined;
  store.put({ path: pathOf(text), known, present, signature, residue: false });
  return known;
}

function signatureAt(text: string): StatSignature | undefined {
  const stat = nodeFileSystem.lstat(join(root, text));
  return stat === undefined ? undefined : signatureOf(stat);
}

function putFile(text: string, content: string, { mode = 0o644, mtimeS = MTIME_S } = {}): void {
  writeFiles(root, { [text]: content });
  fs.chmodSync(join(root, text), mode);
  fs.utimesSync(join(root, text), mtimeS, mtimeS);
}

/** The next start after a kill. */
async function restart({ keepsModes = true, disk = nodeFileSystem, isKilled = true } = {}): Promise<readonly string[]> {
  await reopen(isKilled ? "crash" : "clean");
  const jobs = createInProcessRunner({ context: { fs: disk, blake3 } });
  const identity = rootIdentity(root);
  return adoptPlaced({ store, jobs, clock: systemClock, identity, toDisk: (path) => path, keepsModes });
}

test("what was put in place and not noted is present, and marked until it is durable", async () => {
  putFile("dir.txt", "content");
  fs.mkdirSync(join(root, "dir"), { mode: 0o755 });
  fs.symlinkSync("target", join(root, "link"));
  const file = want("dir.txt", fileOf("content"));
  const directory = want("dir", { kind: "directory", mode: 0o755 });
  const symlink = want("link", { kind: "symlink", target: "target" });
  const missing = want("missing", fileOf("content"));
  assert.deepEqual((await restart()).toSorted(), ["dir", "dir.txt", "link"]);
  for (const [text, known] of Object.entries({ "dir.txt": file, dir: directory, link: symlink })) {
    const record = store.get(pathOf(text));
    assert.deepEqual(record?.present, known);
    assert.ok(record.signature !== undefined);
  }
  assert.deepEqual([...store.pending()], ["missing"]);
  assert.deepEqual(store.get(pathOf("missing"))?.known, missing);
  assert.deepEqual([...store.marks()].map(({ path }) => String(path)).toSorted(), ["dir", "dir.txt", "link"]);
});

for (const [what, found, options] of [
  ["other bytes of the same length and time", "CONTENT", {}],
  ["another time", "content", { mtimeS: MTIME_S + 1 }],
  ["another mode", "content", { mode: 0o600 }],
] as const) {
  test(`${what}: a person's, and left to the scanner`, async () => {
    putFile("a", found, options);
    want("a", fileOf("content"));
    assert.deepEqual(await restart(), []);
    assert.deepEqual(store.get(pathOf("a"))?.present, EMPTY_ENTRY);
  });
}

test("what was there before is not taken for what was to come, though all of it is equal", async () => {
  putFile("a", "content");
  const before = versionOf(fileOf("content"));
  want("a", fileOf("content"), before);
  assert.deepEqual(await restart(), []);
  assert.deepEqual(store.get(pathOf("a"))?.present, before);
});

test("where a disk keeps no modes, none is compared", async () => {
  putFile("a", "content", { mode: 0o755 });
  want("a", fileOf("content", { mode: 0o600 }));
  assert.deepEqual(await restart({ keepsModes: false }), ["a"]);
});

test("after a clean stop nothing is looked at: every outcome is known", async () => {
  putFile("a", "content");
  want("a", fileOf("content"));
  assert.deepEqual(await restart({ isKilled: false }), []);
});

for (const call of ["lstat", "openForReading"] as const) {
  test(`${call} fails for a moment, and nothing is hidden by that (simulation, seed 14201476)`, async () => {
    putFile("a", "content");
    const known = want("a", fileOf("content"));
    let failsLeft = 2;
    const disk: FileSystem = { ...nodeFileSystem };
    const real = disk[call] as (path: string) => never;
    disk[call] = (path: string) => {
      if (!path.endsWith("/a") || failsLeft-- <= 0) return real(path);
      throw Object.assign(new Error("disk is full"), { code: "ENOSPC" });
    };
    assert.deepEqual(await restart({ disk }), ["a"]);
    assert.ok(failsLeft <= 0);
    assert.deepEqual(store.get(pathOf("a"))?.present, known);
  });
}
