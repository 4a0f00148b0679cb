import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { entries, histories, paths } from "../../test/support/arbitraries.ts";
import { randomSteps, runRandomHistories } from "../../test/support/random-histories.ts";
import {
  ReplicaWorld,
  STEP_KINDS,
  contentIdOf,
  pathOf,
  replicaIdOf,
  type Step,
} from "../../test/support/replica-world.ts";
import type { Content, Entry, Version } from "./entry.ts";
import { EMPTY_ENTRY } from "./entry.ts";
import { conflictEntry, entriesEqual, mergeEntries, mergeInto } from "./merge.ts";

const path = pathOf("notes.txt");
const MERGE_KINDS = STEP_KINDS.filter((kind) => kind !== "repair");
const CREATING_KINDS = MERGE_KINDS.filter((kind) => kind !== "delete" && kind !== "move");
const HISTORIES = 5_000;

function fileOf(index: number): Content {
  return { kind: "file", contentId: contentIdOf(index), size: 1, mode: 0o644, mtimeUs: 0 };
}

/** The version that replica `replica` makes with counter `counter`; the stamp is the counter's unless given. */
function version(replica: number, counter: number, options: { content?: Content; stamp?: number } = {}): Version {
  const { content = fileOf(replica * 100 + counter), stamp = counter } = options;
  return { dot: { replica: replicaIdOf(replica), counter }, stamp, author: `machine ${replica}`, content };
}

function entry(seen: Readonly<Record<number, number>>, live?: Version): Entry {
  return { seen: Object.entries(seen).map(([id, counter]) => [replicaIdOf(Number(id)), counter]), live };
}

test("a change beats what it was made on top of, whatever the stamps say", () => {
  const old = entry({ 0: 1 }, version(0, 1, { stamp: 900 }));
  const next = entry({ 0: 1, 1: 5 }, version(1, 5, { stamp: 5 }));
  assert.deepEqual(mergeEntries(old, next, path), { merged: next, conflict: undefined });
  assert.equal(mergeEntries(next, old, path).merged, next);
  assert.equal(mergeEntries(old, next, path).merged, next);
});

test("a delete removes what it saw, and nothing else", () => {
  const seen = entry({ 0: 1 }, version(0, 1));
  const tombstone = entry({ 0: 1, 1: 2 });
  assert.equal(mergeEntries(seen, tombstone, path).merged.live, undefined);

  const edited = entry({ 0: 3 }, version(0, 3));
  const { merged, conflict } = mergeEntries(edited, tombstone, path);
  assert.deepEqual(merged, entry({ 0: 3, 1: 2 }, version(0, 3)));
  assert.equal(conflict, undefined);
});

test("of two concurrent files the older becomes an entry of its own", () => {
  const older = entry({ 0: 7 }, version(0, 7));
  const newer = entry({ 1: 8 }, version(1, 8));
  const { merged, conflict } = mergeEntries(older, newer, path);
  assert.deepEqual(merged, entry({ 0: 7, 1: 8 }, version(1, 8)));
  assert.equal(conflict?.path, "notes.conflict-machine 0-19700101-000000-0007.txt");
  const dot = { replica: "dfdeb38fa7941f03", counter: 7 };
  assert.deepEqual(conflict?.entry, { seen: [[dot.replica, 7]], live: { ...version(0, 7), dot } });
});

test("equal stamps: the greater replica ID wins", () => {
  const a = entry({ 0: 7 }, version(0, 7, { stamp: 5 }));
  const b = entry({ 1: 3 }, version(1, 3, { stamp: 5 }));
  assert.equal(mergeEntries(a, b, path).merged.live, b.live);
});

test("the same content never conflicts", () => {
  for (const content of [fileOf(1), { kind: "symlink", target: "x" }] as const) {
    const a = entry({ 0: 7 }, version(0, 7, { content }));
    const b = entry({ 1: 8 }, version(1, 8, { content }));
    assert.deepEqual(mergeEntries(a, b, path), { merged: entry({ 0: 7, 1: 8 }, b.live), conflict: undefined });
  }
});

test("a directory never becomes a conflict copy, but what it wins against does", () => {
  const file = version(0, 7);
  const directory = { kind: "directory", mode: 0o755 } as const;
  const losing = version(1, 6, { content: directory });
  const winning = version(1, 8, { content: directory });
  assert.deepEqual(mergeEntries(entry({ 0: 7 }, file), entry({ 1: 6 }, losing), path), {
    merged: entry({ 0: 7, 1: 6 }, file),
    conflict: undefined,
  });
  const { conflict } = mergeEntries(entry({ 0: 7 }, file), entry({ 1: 8 }, winning), path);
  assert.deepEqual(conflict?.entry.live?.content, file.content);
});

test("mergeInto says nothing when nothing is new, and follows conflicts to their paths", () => {
  const known = new Map([[path, entry({ 1: 8 }, version(1, 8))]]);
  const item = { path, entry: entry({ 0: 7 }, version(0, 7)) };
  const changed = mergeInto((at) => known.get(at), item);
  assert.deepEqual(
    changed.map((change) => [change.path, change.entry.live?.dot.counter]),
    [
      [path, 8],
      ["notes.conflict-machine 0-19700101-000000-0007.txt", 7],
    ],
  );
  for (const change of changed) known.set(change.path, change.entry);
  assert.deepEqual(
    mergeInto((at) => known.get(at), item),
    [],
  );
});

test("any entries: commutative, idempotent, and the same object if nothing is new", () => {
  fc.assert(
    fc.property(entries, entries, paths, (a, b, at) => {
      const forward = mergeEntries(a, b, at);
      assert.deepEqual(forward, mergeEntries(b, a, at));
      for (const again of [a, b, structuredClone(a), EMPTY_ENTRY]) {
        const { merged, conflict } = mergeEntries(forward.merged, again, at);
        assert.equal(merged, forward.merged);
        assert.equal(conflict, undefined);
      }
    }),
    { numRuns: 2000 },
  );
});

test("without deletes it is associative: the version with the greatest stamp is live", () => {
  fc.assert(
    fc.property(histories(CREATING_KINDS), fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), (steps, picks) => {
      const world = new ReplicaWorld({ skewsMs: [0, -4000, 60_000], paths: ["a"] });
      for (const step of steps) world.run(step);
      const heard = world.announced.filter((item) => item.path === "a").map((item) => item.entry);
      const [a, b, c] = picks.map((pick) => heard[pick % heard.length]);
      if (a === undefined || b === undefined || c === undefined) return;
      const merge = (left: Entry, right: Entry): Entry => mergeEntries(left, right, pathOf("a")).merged;
      assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
    }),
    { numRuns: 1000 },
  );
});

test("any history, order and grouping: all agree, nothing is lost or comes back", () => {
  fc.assert(
    fc.property(histories(MERGE_KINDS), (steps) => {
      runHistory(steps, { skewsMs: [0, -4000, 60_000], paths: ["a.txt", "b"] });
    }),
    { numRuns: 500 },
  );
});

test("a conflict copy hides nothing that its maker does at its path, and is not hidden by it", () => {
  const loser = version(0, 7);
  const lost = conflictEntry(path, loser);
  for (const counter of [3, 7, 9]) {
    const made = version(0, counter, { content: fileOf(1) });
    const { merged, conflict } = mergeEntries(entry({ 0: counter }, made), lost.entry, lost.path);
    const kept = new Set([merged.live?.content, conflict?.entry.live?.content]);
    assert.deepEqual(kept, new Set([made.content, loser.content]));
  }
});

test(`${HISTORIES} random histories of 2 to 4 replicas: all agree, nothing is lost or comes back`, (t) => {
  runRandomHistories(t, HISTORIES, (prng) => {
    const kinds = prng.below(3) === 0 ? CREATING_KINDS : MERGE_KINDS;
    const skewsMs = Array.from({ length: 2 + prng.below(3) }, () => prng.pick([0, 0, -4000, 60_000, 3_000_000]));
    const steps = randomSteps(prng, { kinds, count: 5 + prng.below(25), paths: 8 });
    runHistory(steps, { skewsMs, paths: ["a.txt", "b", "c"].slice(0, 1 + prng.below(3)) });
  });
});

function runHistory(steps: readonly Step[], options: { skewsMs: readonly number[]; paths: readonly string[] }): void {
  const world = new ReplicaWorld(options);
  for (const step of steps) world.run(step);
  world.settle({ repair: false });
  world.assertAgreement();
  world.assertNothingLost();
  world.assertNothingVanished();
  world.assertNothingCameBack();
  for (const replica of world.replicas) {
    for (const item of world.announced) assert(!world.receive(replica, item), "a stale announcement was news");
  }
}

test("entriesEqual looks at every field", () => {
  fc.assert(
    fc.property(entries, entries, (a, b) => {
      assert.equal(entriesEqual(a, structuredClone(a)), true);
      assert.equal(entriesEqual(a, b), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
