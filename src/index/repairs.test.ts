import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { histories } from "../../test/support/arbitraries.ts";
import { randomSteps, runRandomHistories } from "../../test/support/random-histories.ts";
import { ReplicaWorld, contentIdOf, pathOf, replicaIdOf, strayPaths } from "../../test/support/replica-world.ts";
import { STEP_KINDS, type Step } from "../../test/support/replica-world.ts";
import type { RelativePath } from "../core/path.ts";
import type { Content, Entry } from "./entry.ts";
import { repairsOf, type KnownTree } from "./repairs.ts";

const NOW_MS = 5000;
const HISTORIES = 3000;
const TREE = ["d", "d/e", "d/e/f", "d/g", "h"];

const file: Content = { kind: "file", contentId: contentIdOf(1), size: 1, mode: 0o644, mtimeUs: 0 };
const directory: Content = { kind: "directory", mode: 0o700 };

function treeOf(contents: Readonly<Record<string, Content | undefined>>): KnownTree {
  const replica = replicaIdOf(1);
  const known = new Map<RelativePath, Entry>();
  for (const [path, content] of Object.entries(contents)) {
    const live = content && { dot: { replica, counter: 7 }, stamp: 7, author: "other", content };
    known.set(pathOf(path), { seen: [[replica, 7]], live });
  }
  return {
    get: (path) => known.get(path),
    hasLiveChildren: (path) =>
      [...known].some(([child, { live }]) => live !== undefined && child.replace(/\/?[^/]*$/u, "") === path),
  };
}

function repair(path: string, tree: KnownTree): readonly (readonly [string, string | undefined])[] {
  let counter = NOW_MS;
  const nextDot = () => ({ replica: replicaIdOf(0), counter: counter++ });
  const repairs = repairsOf(pathOf(path), tree, { nextDot, nowMs: NOW_MS, author: "me" });
  return repairs.map((item) => [item.path, item.entry.live?.content.kind]);
}

test("a live path brings back the directories above it, from the top", () => {
  const tree = treeOf({ d: undefined, "d/e/f": file });
  assert.deepEqual(repair("d/e/f", tree), [
    ["d", "directory"],
    ["d/e", "directory"],
  ]);
});

test("a deleted directory is brought back for what lives in it", () => {
  assert.deepEqual(repair("d", treeOf({ d: undefined, "d/e": file })), [["d", "directory"]]);
  assert.deepEqual(repair("d", treeOf({ d: undefined, "d/e": undefined })), []);
});

test("a file in a directory's place moves to its conflict path", () => {
  for (const path of ["d", "d/e"]) {
    assert.deepEqual(repair(path, treeOf({ d: file, "d/e": directory })), [
      ["d", "directory"],
      ["d.conflict-other-19700101-000000-0001", "file"],
    ]);
  }
});

test("where all is well nothing is made", () => {
  const tree = treeOf({ d: directory, "d/e": directory, "d/e/f": file, h: file, "x/y": undefined });
  for (const path of [...TREE, "x", "x/y"]) assert.deepEqual(repair(path, tree), []);
});

test("a repair is made on top of what is known", () => {
  const tree = treeOf({ d: file, "d/e": file });
  const nextDot = () => ({ replica: replicaIdOf(0), counter: NOW_MS });
  const [first, second] = repairsOf(pathOf("d"), tree, { nextDot, nowMs: NOW_MS, author: "me" });
  assert.deepEqual(first?.entry.seen, [
    [replicaIdOf(0), NOW_MS],
    [replicaIdOf(1), 7],
  ]);
  assert.deepEqual(second?.entry.live?.content, tree.get(pathOf("d"))?.live?.content);
});

test("any history: all agree, nothing is lost or comes back, and all that lives is in a live directory", () => {
  fc.assert(
    fc.property(histories(), (steps) => runHistory(steps, [0, -4000, 60_000])),
    { numRuns: 300 },
  );
});

test(`${HISTORIES} random histories of a tree: the same`, (t) => {
  runRandomHistories(t, HISTORIES, (prng) => {
    const skewsMs = Array.from({ length: 2 + prng.below(3) }, () => prng.pick([0, 0, -4000, 60_000]));
    runHistory(randomSteps(prng, { kinds: STEP_KINDS, count: 5 + prng.below(40), paths: 12 }), skewsMs);
  });
});

function runHistory(steps: readonly Step[], skewsMs: readonly number[]): void {
  const world = new ReplicaWorld({ skewsMs, paths: TREE });
  for (const step of steps) world.run(step);
  world.settle({ repair: true });
  world.assertAgreement();
  world.assertNothingLost();
  world.assertNothingCameBack();
  for (const replica of world.replicas) assert.deepEqual(strayPaths(world.knownOf(replica)), []);
}
