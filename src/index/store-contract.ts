// What every index store must do: one suite, run on the store in memory and on the one in LMDB. Tests only.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { blake3 } from "@noble/hashes/blake3.js";
import fc from "fast-check";
import { verifyTables } from "../../test/support/verify-tables.ts";
import { contentHashFromBytes, parseReplicaId, type ContentHash, type ReplicaId } from "../core/ids.ts";
import { MARK_ENTRIES_MAX } from "../core/limits.ts";
import { parsePath, parentOf, type RelativePath } from "../core/path.ts";
import { EMPTY_ENTRY, type Content, type Entry, type PathRecord, type StatSignature } from "./entry.ts";
import { createFingerprinter } from "./fingerprint.ts";
import { MerkleTree } from "./merkle.ts";
import type { RecordStore } from "./record-store.ts";
import type { Tables } from "./tables.ts";

/** An open store, and the tables below it. */
export interface OpenStore {
  readonly store: RecordStore;
  readonly tables: Tables;
}

/** Where one test's store lives. */
export interface StorePlace {
  /** The first call makes a new store, later ones open it again: the one before must have been closed. */
  readonly open: () => Promise<OpenStore>;
  readonly dispose: () => Promise<void>;
}

export const hash = (bytes: Uint8Array): Uint8Array => blake3(bytes);

export function replicaId(digit: number): ReplicaId {
  return checked(parseReplicaId(String(digit).repeat(16).slice(0, 16)));
}

export function path(text: string): RelativePath {
  return checked(parsePath(text));
}

export function contentId(seed: number | string): ContentHash {
  return contentHashFromBytes(hash(Buffer.from(`content ${seed}`)));
}

export function fileEntry(options: { counter: number; content?: number | string; replica?: number }): Entry {
  const dot = { replica: replicaId(options.replica ?? 1), counter: options.counter };
  const id = contentId(options.content ?? options.counter);
  const content: Content = { kind: "file", contentId: id, size: options.counter, mode: 0o644, mtimeUs: -5 };
  return { seen: [[dot.replica, dot.counter]], live: { dot, stamp: 1_700_000_000_000, author: "laptop", content } };
}

function directoryEntry(counter: number): Entry {
  const dot = { replica: replicaId(1), counter };
  return { seen: [], live: { dot, stamp: 1, author: "laptop", content: { kind: "directory", mode: 0o755 } } };
}

export function tombstone(counter: number): Entry {
  return { seen: [[replicaId(1), counter]], live: undefined };
}

export function signature(seed: number): StatSignature {
  const mtimeNs = -1_234_567_890_123_456_789n + BigInt(seed);
  return { kind: "file", size: seed, mode: 0o644, mtimeNs, ctimeNs: 2n ** 62n + 1n, inode: 2n ** 64n - 1n };
}

/** A file that is known and on disk. */
export function settled(text: string, counter: number, content?: number | string): PathRecord {
  const known = fileEntry({ counter, ...(content === undefined ? {} : { content }) });
  return { path: path(text), known, present: known, signature: signature(counter), residue: false };
}

/** A file that is known, and not on disk. */
export function wanted(text: string, counter: number): PathRecord {
  const known = fileEntry({ counter });
  return { path: path(text), known, present: EMPTY_ENTRY, signature: undefined, residue: false };
}

/** Lets one turn of the event loop end. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}

export function storeContract(name: string, place: () => Promise<StorePlace>): void {
  const contract = (title: string, body: (place: StorePlace) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const here = await place();
      try {
        await body(here);
      } finally {
        await here.dispose();
      }
    });
  };

  contract("records come back as they were put, at once and after a restart", async ({ open }) => {
    const known = fileEntry({ counter: 7 });
    const records: PathRecord[] = [
      settled("a", 1),
      wanted("b/c", 2),
      { path: path("gone"), known: tombstone(3), present: tombstone(3), signature: undefined, residue: true },
      { path: path("d"), known, present: fileEntry({ counter: 6 }), signature: signature(2 ** 50), residue: false },
      { ...settled(`${"é".repeat(2047)}/x`, 9), signature: { ...signature(1), kind: "directory", mode: 0o7777 } },
      { ...settled("old", 10), signature: { ...signature(0), kind: "symlink", mtimeNs: -(2n ** 63n), inode: 0n } },
    ];
    const first = await open();
    assert.equal(Buffer.byteLength(checked(records[4]).path), 4096);
    for (const record of records) first.store.put(record);
    for (const record of records) assert.deepEqual(first.store.get(record.path), record);
    await first.store.close();
    const second = await open();
    for (const record of records) {
      assert.deepEqual(second.store.get(record.path), record);
      assert.deepEqual(second.store.signatureOf(record.path), record.signature);
      const beside = [...second.store.presentIn(parentOf(record.path))];
      const signatureThere = record.present.live === undefined ? undefined : record.signature;
      assert.deepEqual(beside.find((each) => each.path === record.path)?.signature, signatureThere);
      assert.deepEqual(second.store.byPathHash(createFingerprinter(hash).pathHash(record.path)), record);
    }
    const { known: a, present: b } = checked(second.store.get(path("a")));
    assert.equal(a, b, "known and present are one object when nothing is pending");
    assert.equal(second.store.get(path("nothing")), undefined);
    assert.equal(second.store.signatureOf(path("nothing")), undefined);
    await second.store.close();
  });

  contract("children are those directly inside", async ({ open }) => {
    const { store } = await open();
    for (const text of ["a", "a/b", "a/b/c", "a/d", "ab", "e"]) store.put(settled(text, 1));
    const names = (directory?: string): string[] =>
      [...store.children(directory === undefined ? undefined : path(directory))]
        .map((record) => record.path)
        .toSorted();
    for (const _ of [1, 2]) {
      assert.deepEqual(names(), ["a", "ab", "e"]);
      assert.deepEqual(names("a"), ["a/b", "a/d"]);
      assert.deepEqual(names("a/b"), ["a/b/c"]);
      assert.deepEqual(names("e"), []);
      await store.committed();
    }
    store.remove(path("a/d"));
    store.put(settled("a/f", 2));
    assert.deepEqual(names("a"), ["a/b", "a/f"]);
    await store.close();
  });

  contract("pending means that the live versions differ, not what was seen", async ({ open }) => {
    const { store } = await open();
    const known = fileEntry({ counter: 5 });
    const seenMore: Entry = { ...known, seen: [[replicaId(1), 9]] };
    store.put({ ...settled("same", 5), known: seenMore, present: known });
    store.put(wanted("wanted", 6));
    store.put({ ...settled("to-delete", 7), known: tombstone(8) });
    store.put({ ...settled("newer", 9), known: fileEntry({ counter: 10 }) });
    store.put({ ...settled("other-replica", 9), known: fileEntry({ counter: 9, replica: 2 }) });
    store.put({ path: path("none"), known: tombstone(3), present: EMPTY_ENTRY, signature: undefined, residue: false });
    const expected = ["newer", "other-replica", "to-delete", "wanted"];
    assert.deepEqual([...store.pending()].toSorted(), expected);
    await store.committed();
    assert.deepEqual([...store.pending()].toSorted(), expected);
    assert.equal(store.pendingCount, 4);
    assert.equal(store.liveCount, 4);
    store.put(settled("wanted", 6));
    store.remove(path("newer"));
    assert.deepEqual([...store.pending()].toSorted(), ["other-replica", "to-delete"]);
    assert.equal(store.pendingCount, 2);
    assert.equal(store.liveCount, 3);
    await store.close();
  });

  contract("content is found in the tree and in the trash", async ({ open }) => {
    const first = await open();
    const id = contentId("x");
    first.store.put(settled("a", 1, "x"));
    first.store.put(settled("b", 2, "x"));
    first.store.put({ ...wanted("c", 3), known: fileEntry({ counter: 3, content: "x" }) });
    first.store.putTrashLocation(id, ".dsync/trash/1/ä");
    first.store.putTrashLocation(id, ".dsync/trash/2/b");
    first.store.removeTrashLocation(id, ".dsync/trash/2/b");
    const places = (store: RecordStore): string[] =>
      [...store.locationsOf(id)].map((at) => (at.kind === "tree" ? at.path : `trash ${at.diskPath}`)).toSorted();
    assert.deepEqual(places(first.store), ["a", "b", "trash .dsync/trash/1/ä"]);
    first.store.put(settled("b", 4, "y"));
    assert.deepEqual(places(first.store), ["a", "trash .dsync/trash/1/ä"]);
    assert.deepEqual([...first.store.locationsOf(contentId("y"))], [{ kind: "tree", path: "b" }]);
    await first.store.close();
    const { store } = await open();
    assert.deepEqual(places(store), ["a", "trash .dsync/trash/1/ä"]);
    store.remove(path("a"));
    assert.deepEqual(places(store), ["trash .dsync/trash/1/ä"]);
    await store.close();
  });

  contract("the chunks of a manifest are found through its content once that is on the disk", async ({ open }) => {
    const { store } = await open();
    const chunks = [contentId("c0"), contentId("c1"), contentId("c2")];
    const manifest = Buffer.concat(
      chunks.map((chunk, i) => Buffer.concat([Buffer.from(chunk, "hex"), Buffer.from([0, 2, 0, i])])),
    );
    const original = Buffer.from(manifest);
    store.putManifest(contentId("file"), manifest);
    manifest.fill(0);
    assert.equal(store.chunkLocation(checked(chunks[0])), undefined);
    store.putChunkLocations(contentId("file"));
    store.putChunkLocations(contentId("a file without a manifest"));
    for (const _ of [1, 2]) {
      assert.deepEqual(Buffer.from(checked(store.manifest(contentId("file")))), original);
      assert.deepEqual(store.chunkLocation(checked(chunks[0])), { contentId: contentId("file"), offset: 0 });
      assert.deepEqual(store.chunkLocation(checked(chunks[2])), {
        contentId: contentId("file"),
        offset: 2 * 0x20000 + 1,
      });
      assert.equal(store.chunkLocation(contentId("c3")), undefined);
      assert.equal(store.manifest(contentId("c0")), undefined);
      await store.committed();
    }
    await store.close();
  });

  contract(
    "a manifest that nobody needs goes with its chunks, but for those that another content has",
    async ({ open }) => {
      const { store } = await open();
      const manifestOf = (...chunks: readonly string[]): Buffer =>
        Buffer.concat(
          chunks.map((chunk) => Buffer.concat([Buffer.from(contentId(chunk), "hex"), Buffer.from([0, 2, 0, 0])])),
        );
      store.putManifest(contentId("old"), manifestOf("c0", "shared"));
      store.putManifest(contentId("new"), manifestOf("shared", "c1"));
      for (const content of ["old", "new"]) store.putChunkLocations(contentId(content));
      store.put(settled("file", 1, "new"));
      for (const _ of [1, 2]) {
        assert.deepEqual(new Set(store.manifestIds()), new Set([contentId("old"), contentId("new")]));
        assert.deepEqual([store.isHeld(contentId("old")), store.isHeld(contentId("new"))], [false, true]);
        await store.committed();
      }
      store.removeManifest(contentId("old"));
      store.removeManifest(contentId("nothing"));
      assert.deepEqual([...store.manifestIds()], [contentId("new")]);
      assert.equal(store.chunkLocation(contentId("c0")), undefined);
      assert.equal(store.chunkLocation(contentId("shared"))?.contentId, contentId("new"));
      await store.close();
    },
  );

  contract("places in the trash can be gone through and forgotten", async ({ open }) => {
    const { store } = await open();
    store.put(settled("a", 1, "x"));
    store.putTrashLocation(contentId("x"), ".dsync/trash/1/a");
    store.putTrashLocation(contentId("y"), ".dsync/trash/2/b");
    for (const row of store.locations()) if (row.inTrash !== ".dsync/trash/2/b") store.removeLocation(row);
    assert.deepEqual([...store.locationsOf(contentId("x"))], [{ kind: "tree", path: "a" }]);
    assert.deepEqual(
      new Set([...store.locations()].map(({ inTrash }) => inTrash)),
      new Set([".dsync/trash/2/b", undefined]),
    );
    await store.close();
  });

  contract("a listing follows what is present in its directory, and what else a scan found there", async ({ open }) => {
    const first = await open();
    const [top, a, c] = [undefined, path("a"), path("c")];
    const record = settled("a/b", 1);
    for (const each of [settled("a", 1), record, settled("a/b2", 1), settled("c/d", 1)]) first.store.put(each);
    const sums = (store: RecordStore, rules = "r"): readonly string[] =>
      [top, a, c].map((directory) => store.listing(directory, rules));
    const before = sums(first.store);
    assert.equal(new Set(before).size, 3);
    assert.deepEqual(sums(first.store, "other rules"), before);

    first.store.put({ ...record, known: fileEntry({ counter: 5 }) });
    assert.deepEqual(sums(first.store), before, "what is wanted is not on the disk");
    const changes: readonly PathRecord[] = [
      { ...record, signature: signature(2) },
      { ...record, signature: undefined },
      { ...record, present: tombstone(3), known: tombstone(3), signature: undefined },
      { ...record, present: tombstone(3), known: tombstone(3), signature: undefined, residue: true },
      { ...record, path: path("a/b3") },
    ];
    const seen = new Set([before[1]]);
    for (const change of changes) {
      if (change.path !== record.path) first.store.remove(record.path);
      first.store.put(change);
      const [topNow, aNow, cNow] = sums(first.store);
      assert.deepEqual([topNow, cNow], [before[0], before[2]]);
      assert.ok(!seen.has(aNow), "each has a sum of its own");
      seen.add(aNow);
    }
    first.store.remove(path("a/b3"));
    first.store.put(record);
    assert.deepEqual(sums(first.store), before, "as it was");

    // Something else is there: it is expected under the same rules, whatever becomes of the rest.
    const found = before[2] ?? "";
    first.store.noteListing(a, "r", found);
    assert.deepEqual(sums(first.store), [before[0], found, found]);
    assert.deepEqual(sums(first.store, "other rules"), before);
    first.store.put({ ...record, signature: signature(2) });
    assert.notEqual(first.store.listing(a, "r"), found);
    await first.store.close();
    const second = await open();
    second.store.put(record);
    assert.deepEqual(sums(second.store), [before[0], found, found]);
    await second.store.release();
    assert.deepEqual(sums(second.store), [before[0], found, found]);
    second.store.noteListing(a, "r", before[1] ?? "");
    assert.deepEqual(sums(second.store), before, "nothing else is there any more");
    await second.store.close();
  });

  contract("what else is in a directory is forgotten with the directory", async ({ open }) => {
    const { store } = await open();
    const directory = { ...settled("a", 1), known: directoryEntry(1), present: directoryEntry(1) };
    store.put(directory);
    const empty = store.listing(path("a"), "r");
    store.noteListing(path("a"), "r", store.listing(undefined, "r"));
    assert.notEqual(store.listing(path("a"), "r"), empty);
    store.put({ ...directory, known: tombstone(3), present: tombstone(3), signature: undefined });
    assert.equal(store.listing(path("a"), "r"), empty);
    await store.close();
  });

  contract("marks keep what was there before, and go only if nothing was marked since", async ({ open }) => {
    const first = await open();
    for (const name of ["a", "b", "c"]) first.store.put(settled(name, 1));
    first.store.mark(path("a"), EMPTY_ENTRY);
    first.store.mark(path("b"), fileEntry({ counter: 1 }));
    const stale = [...first.store.marks()].find((mark) => mark.path === "a");
    first.store.mark(path("a"), fileEntry({ counter: 2 }));
    first.store.unmark(path("a"), checked(stale));
    first.store.unmark(path("nothing"));
    await first.store.close();
    const { store } = await open();
    const marks = [...store.marks()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
    assert.deepEqual(marks, [
      { path: "a", before: [EMPTY_ENTRY, fileEntry({ counter: 2 })], isOfThisBoot: true },
      { path: "b", before: [fileEntry({ counter: 1 })], isOfThisBoot: true },
    ]);
    assert.deepEqual(
      ["a", "b", "c"].map((name) => store.isMarked(path(name))),
      [true, true, false],
    );
    store.unmark(path("a"), checked(marks[0]));
    store.unmark(path("b"));
    assert.deepEqual([...store.marks()], []);
    for (let counter = 1; counter <= 20; counter++) store.mark(path("c"), fileEntry({ counter }));
    const [mark] = [...store.marks()];
    assert.deepEqual(mark?.before.at(-1), fileEntry({ counter: 20 }));
    assert.equal(mark.before.length, MARK_ENTRIES_MAX);
    store.remove(path("c"));
    assert.deepEqual([...store.marks()], []);
    assert.equal(store.isMarked(path("c")), false, "a mark goes with its record");
    await store.close();
  });

  contract("meta values stay, and are copies", async ({ open }) => {
    const first = await open();
    const value = Buffer.from([1, 2, 3]);
    first.store.putMeta("checkpoint", value);
    value.fill(9);
    await first.store.close();
    const { store } = await open();
    assert.deepEqual([...checked(store.getMeta("checkpoint"))], [1, 2, 3]);
    assert.equal(store.getMeta("other"), undefined);
    await store.close();
  });

  contract("dots ascend, follow the clock, and are never used twice", async ({ open }) => {
    const first = await open();
    const id = first.store.replicaId;
    assert.deepEqual(first.store.nextDot(1000), { replica: id, counter: 1000 });
    assert.deepEqual(first.store.nextDot(1000), { replica: id, counter: 1001 });
    assert.deepEqual(first.store.nextDot(10), { replica: id, counter: 1002 });
    await first.store.close();
    const second = await open();
    assert.equal(second.store.replicaId, id);
    assert.deepEqual(second.store.nextDot(10), { replica: id, counter: 1003 });
    const renewed = second.store.renewReplicaId({ bytes: () => Buffer.alloc(8, 0xee), fraction: () => 0 });
    assert.equal(renewed, "e".repeat(16));
    await second.store.close();
    const third = await open();
    assert.deepEqual(third.store.nextDot(0), { replica: renewed, counter: 1004 });
    await third.store.close();
  });

  contract("an iteration survives changes and commits in between", async ({ open }) => {
    const { store } = await open();
    for (let i = 0; i < 2000; i++) store.put(settled(`f${i}`, i + 1));
    await store.committed();
    for (let i = 2000; i < 3000; i++) store.put(settled(`f${i}`, i + 1));
    const met = new Set<string>();
    for (const record of store.inSubtree([])) {
      assert.ok(!met.has(record.path), "once each");
      met.add(record.path);
      if (met.size % 100 === 0) {
        store.put({ ...record, known: tombstone(9999), present: tombstone(9999), signature: undefined });
        store.put(settled(`new${met.size}`, met.size));
        if (met.size % 500 === 0) await store.committed();
        else await nextTurn();
      }
    }
    for (let i = 0; i < 3000; i++) assert.ok(met.has(`f${i}`), `f${i} was met`);
    await store.close();
  });

  contract("agrees with a plain map, whatever is done to it", async ({ open }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { minLength: 1, maxLength: 60 }), async (steps) => {
        let here = await open();
        const model = new Map<string, PathRecord>();
        // The store may hold what an earlier run left.
        for (const record of here.store.inSubtree([])) here.store.remove(record.path);
        for (const step of steps) {
          switch (step.kind) {
            case "put":
              model.set(step.record.path, step.record);
              here.store.put(step.record);
              break;
            case "remove":
              model.delete(step.path);
              here.store.remove(step.path);
              break;
            case "turn":
              await nextTurn();
              break;
            case "commit":
              await here.store.committed();
              break;
            case "reopen":
              await here.store.close();
              here = await open();
          }
          assertAgrees(here.store, model);
        }
        await here.store.committed();
        assert.equal(verifyTables(here.tables, hash), model.size);
        await here.store.close();
      }),
      { numRuns: 40 },
    );
  });
}

type Step =
  | { readonly kind: "put"; readonly record: PathRecord }
  | { readonly kind: "remove"; readonly path: RelativePath }
  | { readonly kind: "turn" | "commit" | "reopen" };

const pathArbitrary = fc.constantFrom("a", "a/b", "a/b/c", "a/d", "e", "é/ü", "z").map(path);
const entryArbitrary = fc.oneof(
  fc.constant(EMPTY_ENTRY),
  fc.integer({ min: 1, max: 5 }).map(tombstone),
  fc.record({ counter: fc.integer({ min: 1, max: 5 }), content: fc.integer({ min: 0, max: 2 }) }).map(fileEntry),
);
const recordArbitrary: fc.Arbitrary<PathRecord> = fc
  .record({
    path: pathArbitrary,
    known: entryArbitrary,
    present: fc.option(entryArbitrary, { nil: undefined }),
    signature: fc.option(fc.nat(9).map(signature), { nil: undefined }),
    residue: fc.boolean(),
  })
  .map(({ present, ...record }) => Object.assign(record, { present: present ?? record.known }));
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: recordArbitrary.map((record): Step => ({ kind: "put", record })) },
  { weight: 3, arbitrary: pathArbitrary.map((path): Step => ({ kind: "remove", path })) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: "turn" }, { kind: "commit" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "reopen" }) },
);

function assertAgrees(store: RecordStore, model: ReadonlyMap<string, PathRecord>): void {
  const { pathHash, entryFingerprint } = createFingerprinter(hash);
  const merkle = new MerkleTree();
  for (const record of model.values()) {
    assert.deepEqual(store.get(record.path), record);
    merkle.replace(pathHash(record.path), undefined, entryFingerprint(record.path, record.known));
  }
  assert.equal(store.merkle.rootHex, merkle.rootHex);
  const all = [...store.inSubtree([])].map((record) => record.path);
  const byHash = [...model.values()].toSorted((a, b) => Buffer.compare(pathHash(a.path), pathHash(b.path)));
  assert.deepEqual(
    all,
    byHash.map((record) => record.path),
  );
  assert.deepEqual([...store.pathsIn([])], all);
  for (const directory of [undefined, path("a"), path("a/b")]) {
    const expected = [...model.values()].filter((record) => parentOf(record.path) === directory);
    const found = [...store.children(directory)].map((record) => record.path);
    assert.deepEqual(found.toSorted(), expected.map((record) => record.path).toSorted());
    const present = new Map([...store.presentIn(directory)].map((each) => [each.path, each.signature]));
    const seen = expected.map((record) => [record.path, record.present.live && record.signature] as const);
    assert.deepEqual(present, new Map(seen.toSorted((a, b) => found.indexOf(a[0]) - found.indexOf(b[0]))));
  }
  assert.equal([...store.pending()].length, store.pendingCount);
  assert.equal(store.liveCount, [...model.values()].filter((record) => record.known.live !== undefined).length);
}

function checked<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}
