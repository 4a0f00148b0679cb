import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { hashFiles } from "../content/hash-job.ts";
import type { RelativePath } from "../core/path.ts";
import { createInProcessRunner } from "../edge/in-process-runner.ts";
import { systemClock } from "../edge/clock.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { EMPTY_ENTRY, type Content, type Entry } from "../index/entry.ts";
import { MemoryTables } from "../index/memory-tables.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import type { PreviousStop } from "../index/store-state.ts";
import { hasSeen } from "../index/version-vector.ts";
import { fileContent } from "../watch/judge.ts";
import { isMoved } from "../watch/vanished.ts";
import { verifyMarked, type VerifyReport } from "./verify-marked.ts";

const blake3 = loadBlake3({ portable: false });
const BATCH = "2026-01-02T03-04-05.678Z";
let root = "";
let tables: MemoryTables;
let store: RecordStore;
let counter = 0;

beforeEach(() => {
  root = temporaryDirectory();
  fs.mkdirSync(join(root, ".dsync/trash"), { recursive: true });
  tables = new MemoryTables();
  store = open({ bootId: "before" });
});
afterEach(() => removeDirectory(root));

function open(more: { bootId: string; previousStop?: PreviousStop }): RecordStore {
  return createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes), tables, ...more });
}

/** The machine comes back, and the folder is looked at before anything else happens. */
async function restart({ bootId = "after", disk = nodeFileSystem } = {}): Promise<VerifyReport> {
  await store.close();
  store = open({ bootId, previousStop: bootId === "before" ? "crash" : "power-loss" });
  const { dev: device, ino: inode } = fs.lstatSync(root, { bigint: true });
  const markerInode = fs.lstatSync(join(root, ".dsync"), { bigint: true }).ino;
  const identity = { root, device, inode, markerInode };
  const jobs = createInProcessRunner({ context: { fs: disk, blake3 } });
  return verifyMarked({
    store,
    jobs,
    identity,
    toDisk: (path) => path,
    trashBatch: BATCH,
    author: "here",
    clock: systemClock,
  });
}

function entryOf(content: Content | undefined): Entry {
  const dot = { replica: replicaIdOf(1), counter: ++counter };
  const seen = [[dot.replica, counter]] as const;
  return content === undefined
    ? { seen, live: undefined }
    : { seen, live: { dot, stamp: counter, author: "desk", content } };
}

function look(path: string): { content: Content; signature: ReturnType<typeof signatureAt> } {
  const signature = signatureAt(path);
  const [outcome] = hashFiles(nodeFileSystem, blake3, { root, files: [path], inlineBytesMax: 0 }).outcomes;
  assert.equal(outcome?.kind, "hashed");
  return { content: fileContent(outcome.contentId, signature), signature };
}

function signatureAt(path: string): NonNullable<ReturnType<RecordStore["signatureOf"]>> {
  const [outcome] = hashFiles(nodeFileSystem, blake3, { root, files: [path], inlineBytesMax: 0 }).outcomes;
  assert.equal(outcome?.kind, "hashed");
  return outcome.signature;
}

/** Puts content in place as the puller does: on the disk, in the index, marked. */
function place(text: string, content: string, mtimeS: number): Entry {
  const path = pathOf(text);
  writeFiles(root, { [text]: content });
  fs.utimesSync(join(root, text), mtimeS, mtimeS);
  const { content: placed, signature } = look(text);
  const entry = entryOf(placed);
  store.mark(path, store.get(path)?.present ?? EMPTY_ENTRY);
  store.put({ path, known: entry, present: entry, signature, residue: false });
  return entry;
}

/** A person's other bytes under the old time. */
function editWithOldTime(text: string, content: string | Uint8Array): void {
  const { mtimeNs } = fs.lstatSync(join(root, text), { bigint: true });
  fs.writeFileSync(join(root, text), content);
  fs.utimesSync(join(root, text), Number(mtimeNs / 1_000_000_000n), Number(mtimeNs / 1_000_000_000n));
}

/** What a power loss leaves of a file: other bytes under the same times. Nobody can set ctime, so the index says another. */
function damage(text: string, content: string | Uint8Array): void {
  editWithOldTime(text, content);
  const record = store.get(pathOf(text));
  const { ctimeNs } = fs.lstatSync(join(root, text), { bigint: true });
  if (record?.signature !== undefined) store.put({ ...record, signature: { ...record.signature, ctimeNs } });
}

const isPending = (text: string): boolean => ([...store.pending()] as RelativePath[]).includes(pathOf(text));
const marked = (): string[] => [...store.marks()].map(({ path }) => path);
const trashed = (path: string): Buffer => fs.readFileSync(join(root, ".dsync/trash", BATCH, path));

for (const [how, bytes] of [
  ["truncated", Buffer.alloc(0)],
  ["cut short", Buffer.from("the cont")],
  ["zero-filled", Buffer.alloc(11)],
] as const) {
  test(`a file that was ${how} is wanted again, and what was left of it is in the trash`, async () => {
    place("dir/whole.txt", "whole", 1_000);
    place("dir/a.txt", "the content", 2_000);
    damage("dir/a.txt", bytes);
    const report = await restart();
    assert.deepEqual(report, { checked: 2, damaged: ["dir/a.txt"], undone: [] });
    assert.ok(isPending("dir/a.txt"));
    assert.ok(!isPending("dir/whole.txt"));
    assert.ok(!fs.existsSync(join(root, "dir/a.txt")));
    assert.deepEqual(trashed("dir/a.txt"), bytes);
    assert.deepEqual(marked(), []);
    assert.equal(store.get(pathOf("dir/a.txt"))?.signature, undefined);
  });
}

test("damage in the trash is found by its content (simulation, seed 5004919)", async () => {
  place("dir/a.txt", "the content", 2_000);
  damage("dir/a.txt", "the cont");
  const { content } = look("dir/a.txt");
  assert.equal(content.kind, "file");
  await restart();
  const places = [...store.locationsOf(content.contentId)];
  assert.deepEqual(places, [{ kind: "trash", diskPath: `.dsync/trash/${BATCH}/dir/a.txt` }]);
});

test("damage that cannot be moved away replaces nothing, and is no edit (simulation, seeds 600053 and 836230)", async () => {
  const whole = place("a.txt", "the content", 2_000);
  damage("a.txt", "the cont");
  const readOnly = (): never => {
    throw Object.assign(new Error("the disk is read-only"), { code: "EROFS" });
  };
  const disk = { ...nodeFileSystem, link: readOnly, copyFile: readOnly, unlink: readOnly, makeDirectory: readOnly };
  const report = await restart({ disk });
  assert.deepEqual(report.damaged, ["a.txt"]);
  assert.ok(isPending("a.txt"));
  assert.deepEqual(marked(), ["a.txt"]);
  const record = store.get(pathOf("a.txt"));
  assert.ok(record !== undefined && whole.live !== undefined);
  // It has seen nothing of what anybody made, and a look finds what is recorded.
  assert.ok(!hasSeen(record.present.seen, whole.live.dot));
  const { content, signature } = look("a.txt");
  assert.deepEqual(record.present.live?.content, content);
  assert.deepEqual(record.signature, signature);
});

test("damage that somebody touched, or a person's with the old time put back, gets a name of its own (simulation, seed 920443)", async () => {
  const whole = place("a.txt", "the content", 2_000);
  editWithOldTime("a.txt", "the cont");
  assert.deepEqual(await restart(), { checked: 1, damaged: [], undone: [] });
  const record = store.get(pathOf("a.txt"));
  assert.deepEqual([record?.known, record?.signature, isPending("a.txt")], [whole, undefined, true]);
  assert.deepEqual(marked(), []);
  const [copy, ...others] = fs.readdirSync(root).filter((name) => name !== ".dsync");
  assert.ok(copy !== undefined && others.length === 0);
  assert.match(copy, /^a\.conflict-here-\d{8}-\d{6}-[0-9a-f]{4}\.txt$/);
  assert.equal(fs.readFileSync(join(root, copy), "utf8"), "the cont");
});

test("a replacement that never got its name is done again, and so is a removal", async () => {
  const old = place("a.txt", "old", 1_000);
  place("a.txt", "new", 2_000);
  fs.writeFileSync(join(root, "a.txt"), "old");
  fs.utimesSync(join(root, "a.txt"), 1_000, 1_000);
  const gone = place("gone.txt", "to be removed", 3_000);
  const tombstone = entryOf(undefined);
  store.mark(pathOf("gone.txt"), gone);
  store.put({ path: pathOf("gone.txt"), known: tombstone, present: tombstone, signature: undefined, residue: false });

  const report = await restart();
  assert.deepEqual(report.undone.toSorted(), ["a.txt", "gone.txt"]);
  assert.deepEqual(store.get(pathOf("a.txt"))?.present, old);
  assert.deepEqual(store.get(pathOf("a.txt"))?.signature, look("a.txt").signature);
  assert.deepEqual(store.get(pathOf("gone.txt"))?.present, gone);
  assert.ok(isPending("a.txt") && isPending("gone.txt"));
});

test("a new file that never got its name is wanted again, not deleted everywhere", async () => {
  place("new.txt", "new", 1_000);
  fs.rmSync(join(root, "new.txt"));
  assert.deepEqual((await restart()).undone, ["new.txt"]);
  assert.ok(isPending("new.txt"));
});

test("what a person saved after a power loss is kept beside what was there (simulation, seeds 600043, 600053)", async () => {
  // Whoever saved it may have seen an empty file: what dsync wrote must not be gone for that.
  const placed = place("edited.txt", "ours", 1_000);
  damage("edited.txt", "");
  fs.writeFileSync(join(root, "edited.txt"), "a person's");
  assert.deepEqual(await restart(), { checked: 1, damaged: [], undone: [] });
  const record = store.get(pathOf("edited.txt"));
  assert.deepEqual([record?.known, record?.present, record?.signature], [placed, EMPTY_ENTRY, undefined]);
  assert.equal(fs.readFileSync(join(root, "edited.txt"), "utf8"), "a person's");
  assert.deepEqual(marked(), []);
});

/** A file that a person saved and the index has. */
function save(text: string): Entry {
  const entry = place(text, "the content", 1_000);
  store.unmark(pathOf(text));
  return entry;
}

/** The index says that the file was last changed then. */
function setChanged(text: string, agoMs: number): void {
  const record = store.get(pathOf(text));
  assert.ok(record?.signature !== undefined);
  const ctimeNs = BigInt(Date.now() - agoMs) * 1_000_000n;
  store.put({ ...record, signature: { ...record.signature, ctimeNs } });
}

test("what a person saved in the last minute is read again, whatever its times say (simulation, seed 600234)", async () => {
  const recent = save("recent.txt");
  const old = save("old.txt");
  save("whole.txt");
  save("of a wrong clock.txt");
  damage("recent.txt", Buffer.alloc(11));
  damage("old.txt", Buffer.alloc(11));
  setChanged("old.txt", 120_000);
  setChanged("of a wrong clock.txt", -3_600_000);
  assert.equal((await restart({ bootId: "before" })).checked, 0);
  assert.deepEqual(await restart(), { checked: 3, damaged: [], undone: [] });
  const record = store.get(pathOf("recent.txt"));
  assert.deepEqual([record?.known, record?.present], [recent, EMPTY_ENTRY]);
  assert.deepEqual(store.get(pathOf("old.txt"))?.present, old);
  assert.ok(!isPending("whole.txt"));
  assert.equal(fs.readFileSync(join(root, "recent.txt")).length, 11);
});

test("what was moved away right before is read where it is now (simulation, seed 7301904)", async () => {
  const saved = ["moved.txt", "replaced.txt"].map(save);
  fs.renameSync(join(root, "moved.txt"), join(root, "elsewhere.txt"));
  fs.renameSync(join(root, "replaced.txt"), join(root, "replaced.txt~"));
  writeFiles(root, { "replaced.txt": "saved anew" });
  const isMovedTo = (from: string, to: string): boolean => {
    const child = { name: to, signature: signatureAt(to), target: undefined, problem: undefined };
    return isMoved(store.get(pathOf(from))?.signature, child);
  };
  assert.ok(isMovedTo("moved.txt", "elsewhere.txt") && isMovedTo("replaced.txt", "replaced.txt~"));
  assert.deepEqual(await restart(), { checked: 2, damaged: [], undone: [] });
  assert.ok(!isMovedTo("moved.txt", "elsewhere.txt") && !isMovedTo("replaced.txt", "replaced.txt~"));
  // What became of the two paths is left to the scanner.
  const held = ["moved.txt", "replaced.txt"].map((path) => store.get(pathOf(path))?.present);
  assert.deepEqual(held, saved);
});

test("a disk that numbers its inodes anew tells of no move", async () => {
  save("a.txt");
  fs.copyFileSync(join(root, "a.txt"), join(root, "copy"));
  fs.utimesSync(join(root, "copy"), 1_000, 1_000);
  fs.renameSync(join(root, "copy"), join(root, "a.txt"));
  const before = store.get(pathOf("a.txt"));
  await restart();
  assert.deepEqual(store.get(pathOf("a.txt")), before);
});

test("what cannot be read for a moment is read again (simulation, seed 960766)", async () => {
  place("busy.txt", "ours", 1_000);
  damage("busy.txt", "");
  let tries = 0;
  const openForReading = (path: string): number => {
    if (tries++ === 0) throw Object.assign(new Error("the disk is busy"), { code: "EBUSY" });
    return nodeFileSystem.openForReading(path);
  };
  const report = await restart({ disk: { ...nodeFileSystem, openForReading } });
  assert.deepEqual(report.damaged, ["busy.txt"]);
});

test("what cannot be read after a power loss replaces nothing (simulation, seed 600517)", async () => {
  place("busy.txt", "ours", 1_000);
  damage("busy.txt", "");
  const openForReading = (): never => {
    throw Object.assign(new Error("the disk is busy"), { code: "EBUSY" });
  };
  const report = await restart({ disk: { ...nodeFileSystem, openForReading } });
  assert.deepEqual(report, { checked: 1, damaged: [], undone: [] });
  assert.deepEqual(store.get(pathOf("busy.txt"))?.present, EMPTY_ENTRY);
  assert.deepEqual(marked(), ["busy.txt"]);
});

test("a touch is left to the scanner, and what is durable or of this boot is not looked at", async () => {
  place("touched.txt", "ours", 1_000);
  fs.utimesSync(join(root, "touched.txt"), 3_000, 3_000);
  place("durable.txt", "ours", 1_000);
  store.unmark(pathOf("durable.txt"));
  damage("durable.txt", "rot");
  setChanged("durable.txt", 120_000);
  const before = store.get(pathOf("touched.txt"));
  assert.deepEqual(await restart({ bootId: "before" }), { checked: 0, damaged: [], undone: [] });
  assert.equal(marked().length, 1);
  assert.deepEqual(await restart(), { checked: 1, damaged: [], undone: [] });
  assert.deepEqual(store.get(pathOf("touched.txt")), before);
});

test("damage of something that was put in place without the index knowing is damage, too", async () => {
  writeFiles(root, { "a.txt": "", "b.txt": "mine" });
  fs.utimesSync(join(root, "a.txt"), 1_000, 1_000);
  const content: Content = {
    kind: "file",
    contentId: contentIdOf(1),
    size: 9,
    mode: 0o644,
    mtimeUs: 1_000_000_000,
  };
  for (const path of ["a.txt", "b.txt"].map(pathOf)) {
    store.put({ path, known: entryOf(content), present: EMPTY_ENTRY, signature: undefined, residue: false });
  }
  assert.deepEqual((await restart()).damaged, ["a.txt"]);
  assert.equal(trashed("a.txt").length, 0);
  assert.equal(fs.readFileSync(join(root, "b.txt"), "utf8"), "mine");
});

test("when the folder is another one, nothing is concluded and the marks stay", async () => {
  place("a.txt", "content", 1_000);
  fs.rmSync(join(root, "a.txt"));
  await store.close();
  store = open({ bootId: "after" });
  const identity = { root, device: 0n, inode: 0n, markerInode: 0n };
  const report = await verifyMarked({
    store,
    jobs: createInProcessRunner({ context: { fs: nodeFileSystem, blake3 } }),
    identity,
    toDisk: (path) => path,
    trashBatch: BATCH,
    author: "here",
    clock: systemClock,
  });
  assert.deepEqual(report.damaged, []);
  assert.deepEqual(marked(), ["a.txt"]);
});

test("what was put in place right before, without the index knowing, is present (simulation, seed 10404493)", async () => {
  // Left to the scanner, the file that made way for the directory would pass for replaced by a person.
  const lost = place("a", "lost a conflict", 2_000);
  fs.rmSync(join(root, "a"));
  fs.mkdirSync(join(root, "a"), { mode: 0o755 });
  const known = entryOf({ kind: "directory", mode: 0o755 });
  const before = store.get(pathOf("a"));
  assert.ok(before !== undefined);
  assert.deepEqual(before.present, lost);
  store.put({ ...before, known });
  assert.ok(isPending("a"));
  assert.deepEqual(await restart(), { checked: 1, damaged: [], undone: [] });
  assert.ok(!isPending("a"));
  assert.deepEqual(store.get(pathOf("a"))?.present, known);
});

test("damage that cannot be looked at for a moment is damage all the same (simulation, seeds 10802080 and 13300668)", async () => {
  place("a.txt", "the content", 2_000);
  damage("a.txt", "the cont");
  let failsLeft = 3;
  const lstat: typeof nodeFileSystem.lstat = (path) => {
    if (failsLeft === 0 || !path.endsWith("/a.txt")) return nodeFileSystem.lstat(path);
    failsLeft--;
    throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
  };
  const report = await restart({ disk: { ...nodeFileSystem, lstat } });
  assert.deepEqual(report.damaged, ["a.txt"]);
  assert.ok(isPending("a.txt"));
});
