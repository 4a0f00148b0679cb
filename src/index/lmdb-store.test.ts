import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DsyncError } from "../core/errors.ts";
import { LOST_DOTS_MAX } from "../core/limits.ts";
import { systemClock } from "../edge/clock.ts";
import { systemRandom } from "../edge/random.ts";
import { verifyTables } from "../../test/support/verify-tables.ts";
import { waitFor } from "../../test/support/wait.ts";
import { EMPTY_ENTRY } from "./entry.ts";
import { openEnvironment } from "./lmdb-environment.ts";
import { openLmdbStore, openLmdbStoreReadOnly, type LmdbStoreOptions } from "./lmdb-store.ts";
import { LmdbTables } from "./lmdb-tables.ts";
import type { RecordStore } from "./record-store.ts";
import { contentId, hash, nextTurn, path, settled, storeContract, wanted } from "./store-contract.ts";

const options = { random: systemRandom, clock: systemClock, hash, bootId: "boot one" };

async function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "dsync-index-"));
}

function openStore(directory: string, more: Partial<LmdbStoreOptions> = {}): Promise<RecordStore> {
  return openLmdbStore({ ...options, directory: join(directory, "index"), ...more });
}

/** The tables of a store that is open in this process: a second view, without the overlay of the first. */
function tablesOf(directory: string): LmdbTables {
  const index = join(directory, "index");
  return new LmdbTables(openEnvironment(index, false), { ...options, directory: index, readOnly: true });
}

/** Runs `body` on a directory of its own. */
function inDirectory(title: string, body: (directory: string) => Promise<void>): void {
  test(title, async () => {
    const directory = await makeDirectory();
    try {
      await body(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

storeContract("lmdb store", async () => {
  const directory = await makeDirectory();
  const views: LmdbTables[] = [];
  return {
    open: async () => {
      const store = await openStore(directory);
      const tables = tablesOf(directory);
      views.push(tables);
      return { store, tables };
    },
    dispose: async () => {
      for (const view of views) await view.abandon();
      await rm(directory, { recursive: true });
    },
  };
});

// A store that is left open looks to the next one as after a crash.
inDirectory("the end of the last use is told, and after a crash dots are left out", async (directory) => {
  const clock = { ...systemClock, now: () => 1000 };
  const first = await openStore(directory, { clock });
  assert.equal(first.previousStop, "none");
  const { counter } = first.nextDot(5000);
  await first.close();

  const second = await openStore(directory, { clock });
  assert.equal(second.previousStop, "clean");
  assert.equal(second.nextDot(0).counter, counter + 1);
  await second.committed();
  second.nextDot(0);

  const third = await openStore(directory, { clock });
  assert.equal(third.previousStop, "crash");
  assert.equal(third.nextDot(0).counter, counter + 2 + LOST_DOTS_MAX);

  const fourth = await openStore(directory, { bootId: "boot two", clock });
  assert.equal(fourth.previousStop, "power-loss");
  assert.equal(
    fourth.nextDot(0).counter,
    counter + 2 + 2 * LOST_DOTS_MAX,
    "left out again, though nothing was committed",
  );

  const now = 10 ** 9;
  const fifth = await openStore(directory, { bootId: "", clock: { ...systemClock, now: () => now } });
  assert.equal(fifth.nextDot(0).counter, now + 1 + LOST_DOTS_MAX, "the lost dots may have followed the clock");
  const sixth = await openStore(directory, { bootId: "", clock });
  assert.equal(sixth.previousStop, "power-loss", "an unknown boot may be another one");
  await sixth.close();
});

inDirectory(
  "a full disk rejects commits, keeps everything readable, and is tried again by itself",
  async (directory) => {
    let freeBytes = 2 ** 30;
    const store = await openStore(directory, { freeBytes: () => Promise.resolve(freeBytes) });
    store.put(settled("before", 1));
    await store.committed();
    freeBytes = 2 ** 20;
    store.put(settled("during", 2));
    await assert.rejects(store.committed(), (error) =>
      isIndexError(error, /disk is full \(1\.0 MiB are free.*Make room/),
    );
    store.put(settled("during", 3));
    store.put(settled("more", 4));
    store.remove(path("before"));
    await assert.rejects(store.committed(), (error) => isIndexError(error, /disk is full/));
    assert.equal(store.get(path("during"))?.known.live?.dot.counter, 3);
    assert.deepEqual([...store.children(undefined)].map((record) => record.path).toSorted(), ["during", "more"]);

    const view = tablesOf(directory);
    assert.equal(verifyTables(view, hash), 1, "what was committed is whole, without the rest");
    freeBytes = 2 ** 30;
    await waitFor(() => [...view.keys("records", "")].length === 2, { until: "it is written by itself" });
    verifyTables(view, hash);
    await view.abandon();
    await store.close();
  },
);

inDirectory("a disk that is full at the start is named", async (directory) => {
  const opening = openStore(directory, { freeBytes: () => Promise.resolve(1000) });
  await assert.rejects(opening, (error) => isIndexError(error, /disk is full/));
});

for (const [what, damage] of [
  ["garbage", (file: string) => writeFile(file, Buffer.alloc(65_536, 0x5a))],
  ["a few bytes", (file: string) => truncate(file, 100)],
  ["one page", (file: string) => truncate(file, 4096)],
  ["nothing but the first pages", (file: string) => truncate(file, 8192)],
  [
    "another format of LMDB",
    async (file: string) => {
      const bytes = await readFile(file);
      bytes[28] = 77;
      await writeFile(file, bytes);
    },
  ],
] as const) {
  inDirectory(`an index of ${what} is an error with a way out`, async (directory) => {
    const store = await openStore(directory);
    for (let i = 0; i < 100; i++) store.put(settled(`f${i}`, i + 1));
    await store.close();
    await damage(join(directory, "index", "data.mdb"));
    await assert.rejects(openStore(directory), (error) => isIndexError(error, /delete that directory/));
    await rm(join(directory, "index"), { recursive: true });
    const fresh = await openStore(directory);
    assert.equal(fresh.previousStop, "none");
    await fresh.close();
  });
}

inDirectory("an index of a later dsync is an error with a way out", async (directory) => {
  const store = await openStore(directory);
  await store.close();
  const index = join(directory, "index");
  const tables = new LmdbTables(openEnvironment(index, false), { ...options, directory: index, readOnly: false });
  tables.set("state", "state", Buffer.from([2, 0, 0]));
  await tables.close();
  await assert.rejects(openStore(directory), (error) => isIndexError(error, /it has format 2.*delete/));
});

inDirectory("an index whose memory is given back can be read and written all the time", async (directory) => {
  const store = await openStore(directory);
  const paths = Array.from({ length: 20_000 }, (_, i) => `f${i}`);
  for (const [i, name] of paths.entries()) store.put(settled(name, i + 1));
  await store.committed();

  let isReleasing = true;
  let reads = 0;
  const readAndWrite = (): void => {
    const name = paths[(reads * 7919) % paths.length] ?? "";
    assert.equal(store.get(path(name))?.path, name);
    if (reads % 100 === 0) store.put(settled(`g${reads}`, 1));
    reads++;
    // Once more behind whatever waits in this turn, and in every kind of turn that there is.
    queueMicrotask(() => assert.equal(store.get(path(name))?.path, name));
    if (isReleasing) (reads % 2 === 0 ? setImmediate : setTimeout)(readAndWrite);
  };
  readAndWrite();
  // How many reads come in between two rounds depends on the machine: on a slow one a round may pass without any.
  for (let round = 1; isReleasing; round++) {
    for (const name of paths.slice(0, 1_000)) store.signatureOf(path(name));
    await store.release();
    isReleasing = round < 30 || reads < 100;
  }

  await store.committed();
  for (const name of paths) store.signatureOf(path(name));
  const before = mappedBytes(directory);
  await store.release();
  const after = mappedBytes(directory);
  if (before !== undefined && after !== undefined) assert.ok(after < before / 2, `${before} → ${after} bytes`);
  assert.equal(store.liveCount, paths.length + Math.ceil(reads / 100));
  await store.close();
  const again = await openStore(directory);
  assert.equal(again.previousStop, "clean");
  assert.equal(again.get(path("g0"))?.path, "g0");
  await again.close();
});

inDirectory("an index that was deleted under a running store goes on where it is", async (directory) => {
  const store = await openStore(directory);
  for (let i = 0; i < 2_000; i++) store.put(settled(`f${i}`, i + 1));
  await store.committed();
  await rm(join(directory, "index"), { recursive: true });
  for (let i = 0; i < 2_000; i++) store.signatureOf(path(`f${i}`));
  await store.release();
  assert.equal(store.get(path("f7"))?.path, "f7");
  assert.equal(existsSync(join(directory, "index")), false);
});

/** Memory of this process that is the index, as Linux counts it; `undefined` elsewhere. */
function mappedBytes(directory: string): number | undefined {
  if (process.platform !== "linux") return undefined;
  let isIndex = false;
  let bytes = 0;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isIndex = line.includes(`${directory}/index/data.mdb`);
    else if (isIndex && line.startsWith("Rss:")) bytes += 1024 * Number(/\d+/.exec(line)?.[0]);
  }
  return bytes;
}

inDirectory("an index can be read beside the instance that writes it", async (directory) => {
  assert.throws(
    () => openReadOnly(directory),
    (error) => isIndexError(error, /has not run on this folder/),
  );
  const store = await openStore(directory);
  store.put(settled("a", 1));
  store.put(wanted("b", 2));
  await store.committed();
  const reader = openReadOnly(directory);
  assert.equal(reader.replicaId, store.replicaId);
  assert.equal(reader.liveCount, 2);
  assert.deepEqual([...reader.pending()], ["b"]);
  assert.equal(reader.merkle.rootHex, store.merkle.rootHex);
  assert.throws(() => reader.put(settled("c", 3)), /read-only/);
  store.put(settled("d", 4));
  await store.committed();
  await nextTurn();
  assert.ok(reader.get(path("d")) !== undefined);
  await reader.close();
  await store.close();
  const after = openReadOnly(directory);
  assert.equal(after.liveCount, 3);
  await after.close();
});

function openReadOnly(directory: string): RecordStore {
  return openLmdbStoreReadOnly({ ...options, directory: join(directory, "index") });
}

inDirectory(
  "what is put in one turn is committed together, also across a commit that is under way",
  async (directory) => {
    const store = await openStore(directory);
    const view = tablesOf(directory);
    let turn = 0;
    const done = new AbortController();
    const watching = (async () => {
      while (!done.signal.aborted) {
        // Each turn sets the same two paths to its number, with `committed` called in between.
        const counters = ["a", "b"].map((name) => counterIn(view, name));
        assert.equal(counters[0], counters[1]);
        await nextTurn();
      }
    })();
    for (; turn < 200; turn++) {
      store.put(settled("a", turn + 1));
      const committed = store.committed();
      store.putMeta("x", Buffer.from([turn]));
      store.put(settled("b", turn + 1));
      if (turn % 3 === 0) await committed;
      else void committed.then(() => store.get(path("a")));
      await nextTurn();
    }
    await store.committed();
    done.abort();
    await watching;
    assert.equal(verifyTables(view, hash), 2);
    await view.abandon();
    await store.close();
  },
);

function counterIn(view: LmdbTables, name: string): number | undefined {
  for (const key of view.keys("records", "")) {
    const bytes = view.get("records", key);
    if (bytes === undefined) continue;
    const record = Buffer.from(bytes).toString("latin1");
    if (record.includes(`\xa1${name}`)) return bytes.length === 0 ? undefined : settledSize(bytes);
  }
  return undefined;
}

/** `settled` gives a signature whose size is the counter: it stands at a fixed place. */
function settledSize(bytes: Uint8Array): number {
  return Buffer.from(bytes).readDoubleBE(20);
}

function isIndexError(error: unknown, message: RegExp): boolean {
  assert.ok(error instanceof DsyncError, String(error));
  assert.equal(error.code, "index");
  assert.match(error.message, message);
  return true;
}

test("content IDs of the tests differ", () => {
  assert.notEqual(contentId(1), contentId(2));
});

inDirectory("a mark tells whether it is of this boot; an unknown boot is another one", async (directory) => {
  const boots: boolean[] = [];
  for (const bootId of ["one", "one", "two", "", ""]) {
    const store = await openStore(directory, { bootId });
    for (const mark of store.marks()) boots.push(mark.isOfThisBoot);
    store.put(settled("a", 1));
    if (boots.length === 0 || bootId === "") store.mark(path("a"), EMPTY_ENTRY);
    await store.close();
  }
  assert.deepEqual(boots, [true, false, false, false]);
});

inDirectory("marks of other boots are found until none is left, also among those of this boot", async (directory) => {
  const found: string[][] = [];
  for (const [bootId, marked] of [
    ["one", "a"],
    ["one", "b"],
    ["two", "c"],
    ["two", "d"],
    ["one", "e"],
    ["three", "f"],
  ] as const) {
    const store = await openStore(directory, { bootId });
    found.push([...store.marksOfOtherBoots()].map((mark) => mark.path).toSorted());
    store.put(settled(marked, 1));
    store.mark(path(marked), EMPTY_ENTRY);
    if (marked === "f") for (const name of ["a", "b", "c", "d", "e"]) store.unmark(path(name));
    await store.close();
  }
  const last = await openStore(directory, { bootId: "three" });
  for (let again = 0; again < 2; again++) assert.deepEqual([...last.marksOfOtherBoots()], []);
  await last.close();
  const after = await openStore(directory, { bootId: "" });
  assert.equal([...after.marksOfOtherBoots()].length, 1);
  await after.close();
  assert.deepEqual(found, [[], [], ["a", "b"], ["a", "b"], ["c", "d"], ["a", "b", "c", "d", "e"]]);
});

inDirectory(
  "what waits while nothing can be written is counted, and does not grow by being tried again",
  async (directory) => {
    let free = 2 ** 40;
    const store = await openStore(directory, { freeBytes: () => Promise.resolve(free) });
    await store.committed();
    assert.equal(store.uncommittedBytes, 0);
    free = 0;
    const putAll = (): void => {
      for (let index = 0; index < 100; index++) store.put(settled(`file ${index}`, index + 1));
    };
    putAll();
    await assert.rejects(store.committed());
    const first = store.uncommittedBytes;
    assert.ok(first > 100 * 64, `${first} bytes`);
    for (let round = 0; round < 5; round++) {
      putAll();
      await assert.rejects(store.committed());
    }
    assert.equal(store.uncommittedBytes, first);
    free = 2 ** 40;
    await store.committed();
    assert.equal(store.uncommittedBytes, 0);
    await store.close();
  },
);
