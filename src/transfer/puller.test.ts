import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createPuller, pullUntil } from "../../test/support/pulled-folder.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { MemoryDisk, type DiskQuirks } from "../../test/support/memory-disk.ts";
import { createMemoryFileSystem } from "../../test/support/memory-file-system.ts";
import { waitFor } from "../../test/support/wait.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { PULL_QUEUE_PATHS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { FileSystem } from "../edge/file-system.ts";
import type { Content, Entry, PathRecord } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import { emptyRecord } from "../index/settle.ts";
import { signatureOf } from "../index/signature.ts";
import type { Puller } from "./puller.ts";

const blake3 = loadBlake3({ portable: false });
const DRAFTS = pathOf("drafts");

/** The folder /f on a disk in memory with these directories, and an index that knows of nothing. */
function folderWith(
  directories: readonly string[] = [],
  quirks: Partial<DiskQuirks> = {},
): { disk: MemoryDisk; person: FileSystem; store: RecordStore } {
  // No whole second: that would look like a disk with coarse times.
  const disk = new MemoryDisk(() => 1_700_000_000_123_000_000n, quirks);
  const person = createMemoryFileSystem(disk);
  for (const path of ["/f", "/f/.dsync", ...directories]) person.makeDirectory(path, 0o755);
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (input) => blake3.hash(input) });
  return { disk, person, store };
}

/** A directory that is to go, in which something is just when it is to be removed; `left`: what is said to be in it. */
async function removeUnready(left: "nothing" | "ignored"): Promise<{ isResidue: boolean; isThere: boolean }> {
  const { disk, person, store } = folderWith(["/f/drafts"]);
  person.close(person.createFile("/f/drafts/leaving", 0o644));
  const drafts = person.lstat("/f/drafts");
  assert.ok(drafts !== undefined);

  const clock = new FakeClock();
  const present: Entry = {
    seen: [[replicaIdOf(1), 1]],
    live: {
      dot: { replica: replicaIdOf(1), counter: 1 },
      stamp: 1,
      author: "there",
      content: { kind: "directory", mode: 0o755 },
    },
  };
  const known: Entry = { seen: [[replicaIdOf(1), 2]], live: undefined };
  store.put({ path: DRAFTS, known, present, signature: signatureOf(drafts), residue: false });
  const puller = createPuller(
    { disk, store, clock },
    {
      onRepair: () => {},
      leftIn: async () => {
        person.unlink("/f/drafts/leaving");
        return left;
      },
    },
  );
  const isDone = (): boolean => store.get(DRAFTS)?.present.live === undefined;
  await pullUntil(puller, clock, isDone, "the deletion is done");
  return { isResidue: store.get(DRAFTS)?.residue === true, isThere: person.lstat("/f/drafts") !== undefined };
}

test("a directory that something was just moved out of is removed in the end", async () => {
  assert.deepEqual(await removeUnready("nothing"), { isResidue: false, isThere: false });
});

test("one that holds only what is ignored stays, as residue", async () => {
  assert.deepEqual(await removeUnready("ignored"), { isResidue: true, isThere: true });
});

test("what failed is no problem any more as soon as the path holds what is known of it", async () => {
  const { disk, person, store } = folderWith(["/f/drafts", "/f/drafts/in-use"]);
  const stat = person.lstat("/f/drafts") ?? assert.fail();
  const dot = { replica: replicaIdOf(1), counter: 1 };
  const content = { kind: "directory", mode: 0o755 } as const;
  const present: Entry = { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "there", content } };
  const deleted: Entry = { seen: [[dot.replica, 2]], live: undefined };
  const record = { path: DRAFTS, known: deleted, present, signature: signatureOf(stat), residue: false };
  store.put(record);
  const clock = new FakeClock();
  let problems = 0;
  const puller = createPuller(
    { disk, store, clock },
    { leftIn: async () => "others", onProblem: () => void problems++, onSolved: () => void problems-- },
  );
  puller.start();
  await waitFor(
    () => {
      clock.advance(50);
      return problems > 0;
    },
    { until: "the deletion fails", intervalMs: 1 },
  );
  // Somebody has brought it back. No time passes: nothing else makes it due.
  const settled = { ...record, known: present };
  store.put(settled);
  puller.noteKnown(settled);
  await waitFor(() => problems === 0, { until: "the problem is over", intervalMs: 1, deadlineMs: 10_000 });
  assert.deepEqual([...puller.failures], []);
  await puller.stop();
});

/** A deleted directory waits for a repair, since one in it is still known as live; `forget` deletes that one, too. */
async function removeAfterChild(
  forget: (world: { puller: Puller; store: RecordStore; person: FileSystem; child: PathRecord }) => void,
): Promise<void> {
  const { disk, person, store } = folderWith(["/f/drafts", "/f/drafts/deep"]);
  const recordOf = (path: RelativePath, counter: number): PathRecord => {
    const stat = person.lstat(`/f/${path}`);
    assert.ok(stat !== undefined);
    const dot = { replica: replicaIdOf(1), counter };
    const content = { kind: "directory", mode: 0o755 } as const;
    const entry: Entry = { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: "there", content } };
    return { path, known: entry, present: entry, signature: signatureOf(stat), residue: false };
  };
  const child = recordOf(pathOf("drafts/deep"), 2);
  store.put(child);
  store.put({ ...recordOf(DRAFTS, 1), known: { seen: [[replicaIdOf(1), 3]], live: undefined } });
  const clock = new FakeClock();
  const repairs: string[] = [];
  const repaired: string[] = [];
  const puller = createPuller(
    { disk, store, clock },
    {
      leftIn: () => assert.fail("it is empty"),
      onRepair: (path) => repairs.push(path),
      onRepaired: (path) => repaired.push(path),
    },
  );
  puller.start();
  await waitFor(() => repairs.length > 0, { until: "a repair is asked for", intervalMs: 1 });
  forget({ puller, store, person, child });
  // No time passes: nothing else makes it due.
  await waitFor(() => store.pendingCount === 0, { until: "both directories are gone", intervalMs: 1 });
  await puller.stop();
  assert.deepEqual(repairs, [DRAFTS]);
  assert.deepEqual(repaired, [DRAFTS]);
  assert.equal(person.lstat("/f/drafts"), undefined);
}

const DEEP_GONE: Entry = { seen: [[replicaIdOf(1), 4]], live: undefined };

test("a directory that waits for a repair goes as soon as what was live in it has gone", async () => {
  await removeAfterChild(({ puller, store, child }) => {
    store.put({ ...child, known: DEEP_GONE });
    puller.add(child.path);
  });
});

test("so it does when a person removes that", async () => {
  await removeAfterChild(({ puller, store, person, child }) => {
    person.removeDirectory("/f/drafts/deep");
    const seen: PathRecord = { ...emptyRecord(child.path), known: DEEP_GONE, present: DEEP_GONE };
    store.put(seen);
    puller.noteSeen(seen);
  });
});

test("what one place turns out not to hold is taken from another one (simulation, seed 922832)", async () => {
  const { disk, person, store } = folderWith(["/f/.dsync/staging"]);
  const bytes = Buffer.from("the content");
  const content = {
    kind: "file",
    contentId: contentHashFromBytes(blake3.hash(bytes)),
    size: bytes.length,
    mode: 0o644,
    mtimeUs: 1_600_000_000_000_000,
  } as const;
  const held = (counter: number): Entry => {
    const dot = { replica: replicaIdOf(1), counter };
    return { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: "there", content } };
  };
  for (const [index, name] of ["changed since", "whole"].entries()) {
    const descriptor = person.createFile(`/f/${name}`, 0o644);
    person.write(descriptor, name === "whole" ? bytes : Buffer.from("another one"), 0);
    person.close(descriptor);
    const stat = person.lstat(`/f/${name}`);
    assert.ok(stat !== undefined);
    const entry = held(index + 1);
    store.put({ path: pathOf(name), known: entry, present: entry, signature: signatureOf(stat), residue: false });
  }
  const wanted = pathOf("copy");
  store.put({ ...emptyRecord(wanted), known: held(3) });
  const clock = new FakeClock();
  const lookedAt: string[] = [];
  const puller = createPuller(
    { disk, store, clock },
    { leftIn: () => assert.fail("no directory goes"), onChangedOnDisk: (path) => lookedAt.push(path) },
  );
  await pullUntil(puller, clock, () => store.pendingCount === 0, "the copy is made");
  assert.deepEqual(lookedAt, ["changed since"]);
});

test("what a person put in the place of what is being fetched does not keep its content from a copy (simulation, seed 940210)", async () => {
  const { disk, person, store } = folderWith(["/f/.dsync/staging"]);
  const contentId = contentHashFromBytes(blake3.hash(Buffer.from("a film")));
  const content = { kind: "file", contentId, size: 10_000_000, mode: 0o644, mtimeUs: 1_600_000_000_000_000 } as const;
  const entryOf = (counter: number, live: Content): Entry => {
    const dot = { replica: replicaIdOf(1), counter };
    return { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: "there", content: live } };
  };
  const [film, copy] = [pathOf("film"), pathOf("copy")];
  const clock = new FakeClock();
  const puller = createPuller({ disk, store, clock }, { leftIn: () => assert.fail("no directory goes") });
  const fetched = (): string[] => [...puller.largeFetches].map(({ path }) => path);
  store.put({ ...emptyRecord(film), known: entryOf(1, content) });
  puller.start();
  await waitFor(() => fetched().length > 0, { until: "the film is fetched", intervalMs: 1 });

  person.makeDirectory("/f/film", 0o755);
  const directory = entryOf(2, { kind: "directory", mode: 0o755 });
  const seen = { ...emptyRecord(film), known: directory, present: directory };
  store.put(seen);
  puller.noteSeen(seen);
  store.put({ ...emptyRecord(copy), known: entryOf(3, content) });
  puller.add(copy);
  await waitFor(() => fetched().includes(copy), { until: "its copy is fetched instead", intervalMs: 1 });
  assert.deepEqual(fetched(), [copy]);
  await puller.stop();
});

test("nothing is put in place before the index has committed what belongs there", async () => {
  const { disk, person, store } = folderWith();
  store.put({ ...emptyRecord(DRAFTS), known: directoryKnown() });
  const commits: boolean[] = [];
  store.committed = async () => {
    assert.equal(person.lstat("/f/drafts"), undefined);
    commits.push(commits.length > 0);
    if (commits.length === 1) throw new Error("the disk is full");
  };
  const clock = new FakeClock();
  const puller = createPuller({ disk, store, clock }, { leftIn: () => assert.fail("no directory goes") });
  await pullUntil(puller, clock, () => store.pendingCount === 0, "the directory is made");
  assert.deepEqual(commits, [false, true]);
  assert.equal(person.lstat("/f/drafts")?.kind, "directory");
});

test("deleting many files takes looks at the index in proportion", async () => {
  const perFile = await Promise.all([2_500, 10_000].map(looksPerRemoval));
  const [few, many] = perFile as [number, number];
  assert.ok(many < 1.2 * few, `${few.toFixed(1)} looks for each of 2,500 files, ${many.toFixed(1)} for each of 10,000`);
});

async function looksPerRemoval(count: number): Promise<number> {
  const { disk, person, store } = folderWith();
  const content = { kind: "file", contentId: contentHashFromBytes(blake3.hash(Buffer.alloc(0))), size: 0 } as const;
  const dot = { replica: replicaIdOf(1), counter: 1 };
  const live = { dot, stamp: 1, author: "there", content: { ...content, mode: 0o644, mtimeUs: 1 } };
  const gone: Entry = { seen: [[dot.replica, 2]], live: undefined };
  for (let index = 0; index < count; index++) {
    person.close(person.createFile(`/f/${index}`, 0o644));
    const stat = person.lstat(`/f/${index}`);
    assert.ok(stat !== undefined);
    const present: Entry = { seen: [[dot.replica, 1]], live };
    store.put({ path: pathOf(`${index}`), known: gone, present, signature: signatureOf(stat), residue: false });
  }
  const looks = await looksUntilSettled(disk, store);
  assert.equal(person.readDirectory("/f").length, 1);
  return looks / count;
}

test("what waits for a path that is found changed leaves that its time to be looked at (simulation, seed 12005151)", async () => {
  const { disk, person, store } = folderWith();
  // Nobody has told the index of it.
  person.close(person.createFile("/f/drafts", 0o644));
  for (const path of [DRAFTS, pathOf("drafts/deep")]) store.put({ ...emptyRecord(path), known: directoryKnown() });
  const clock = new FakeClock();
  const attemptsAtMs: number[] = [];
  const onChangedOnDisk = (path: RelativePath): void => {
    attemptsAtMs.push(clock.monotonic());
    if (path === DRAFTS && attemptsAtMs.length === 2) person.unlink("/f/drafts");
  };
  const puller = createPuller(
    { disk, store, clock },
    { leftIn: () => assert.fail("no directory goes"), onChangedOnDisk },
  );
  await pullUntil(puller, clock, () => store.pendingCount === 0, "both are made");
  assert.equal(attemptsAtMs.length, 2);
  assert.ok((attemptsAtMs[1] ?? 0) - (attemptsAtMs[0] ?? 0) >= 50);
});

for (const [title, timeStepNs] of [
  ["a file that was moved is looked at again where times are coarse (simulation, seed 12202970)", 2_000_000_000n],
  ["a file that was moved is not looked at again where times are fine", 1n],
] as const) {
  test(title, async () => {
    const { disk, person, store } = folderWith([], { timeStepNs });
    person.close(person.createFile("/f/old", 0o644));
    const stat = person.lstat("/f/old");
    assert.ok(stat !== undefined);
    const content = { kind: "file", contentId: contentHashFromBytes(blake3.hash(Buffer.alloc(0))), size: 0 } as const;
    const dot = { replica: replicaIdOf(1), counter: 1 };
    const mtimeUs = Number(stat.mtimeNs / 1000n);
    const live = { dot, stamp: 1, author: "there", content: { ...content, mode: 0o644, mtimeUs } };
    const there: Entry = { seen: [[dot.replica, 1]], live };
    const gone: Entry = { seen: [[dot.replica, 2]], live: undefined };
    store.put({ path: pathOf("old"), known: gone, present: there, signature: signatureOf(stat), residue: false });
    store.put({ ...emptyRecord(pathOf("new")), known: there });
    const clock = new FakeClock();
    const looked: RelativePath[] = [];
    const puller = createPuller(
      { disk, store, clock },
      { leftIn: () => assert.fail("no directory goes"), onChangedOnDisk: (path) => looked.push(path) },
    );
    await pullUntil(puller, clock, () => store.pendingCount === 0, "it is moved");
    assert.deepEqual(looked, timeStepNs === 1n ? [] : [pathOf("new")]);
  });
}

test("directories in directories that are all missing take looks at the index in proportion to their number", async () => {
  const looks = await Promise.all([10, 40].map(looksPerTree));
  const [few, many] = looks as [number, number];
  assert.ok(many < 5 * few, `${few.toFixed(0)} looks for a tree of 10, ${many.toFixed(0)} for one of 40`);
});

async function looksPerTree(depth: number): Promise<number> {
  const { disk, store } = folderWith();
  const trees = 20;
  for (let tree = 0; tree < trees; tree++) {
    for (let level = 0; level <= depth; level++) {
      const path = pathOf([`tree${tree}`, ...Array.from({ length: level }, () => "d")].join("/"));
      store.put({ ...emptyRecord(path), known: directoryKnown() });
    }
  }
  const looks = await looksUntilSettled(disk, store);
  return looks / trees;
}

/** Pulls until nothing is pending; how often the index was asked for a record meanwhile. */
async function looksUntilSettled(disk: MemoryDisk, store: RecordStore): Promise<number> {
  const looks = countLooks(store);
  const clock = new FakeClock();
  const puller = createPuller({ disk, store, clock }, { leftIn: () => assert.fail("no directory goes") });
  await pullUntil(puller, clock, () => store.pendingCount === 0, "everything is as known");
  return looks();
}

/** How often the index was asked for a record from here on. */
function countLooks(store: RecordStore): () => number {
  let looks = 0;
  const get = store.get.bind(store);
  store.get = (path) => {
    looks++;
    return get(path);
  };
  return () => looks;
}

test("what waits to be fetched is decided once, also if more is pending than is remembered", async () => {
  const { disk, person, store } = folderWith();
  const files = PULL_QUEUE_PATHS_MAX + 2_000;
  for (let file = 0; file < files; file++) {
    store.put({ ...emptyRecord(pathOf(`file${file}`)), known: fileKnown(`content ${file}`) });
  }
  const clock = new FakeClock();
  const puller = createPuller({ disk, store, clock }, { leftIn: () => assert.fail("no directory goes") });
  const looks = countLooks(store);
  puller.start();
  for (let job = 0; job < 20; job++) {
    const path = pathOf(`directory${job}`);
    store.put({ ...emptyRecord(path), known: directoryKnown() });
    puller.add(path);
    const isMade = (): boolean => {
      clock.advance(50);
      return person.lstat(`/f/${path}`) !== undefined;
    };
    await waitFor(isMade, { until: `${path} is made`, intervalMs: 1 });
  }
  for (let second = 0; second < 20 && looks() < 3 * files; second++) await clock.run(1_000);
  await puller.stop();
  // Nobody has any of them.
  assert.equal(store.pendingCount, files);
  const perFile = looks() / files;
  assert.ok(perFile < 1.5, `${perFile.toFixed(2)} looks for a file`);
});

function fileKnown(content: string): Entry {
  const bytes = Buffer.from(content);
  const dot = { replica: replicaIdOf(1), counter: 1 };
  const contentId = contentHashFromBytes(blake3.hash(bytes));
  const file = { kind: "file", contentId, size: bytes.length, mode: 0o644, mtimeUs: 0 } as const;
  return { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "there", content: file } };
}

function directoryKnown(): Entry {
  const dot = { replica: replicaIdOf(1), counter: 1 };
  return {
    seen: [[dot.replica, 1]],
    live: { dot, stamp: 1, author: "there", content: { kind: "directory", mode: 0o755 } },
  };
}
