import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeClock } from "../../test/support/fake-clock.ts";
import { PULL_QUEUE_PATHS_MAX, RETRY_DELAY_MS_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { DuePaths } from "./due-paths.ts";

const path = (name: string | number): RelativePath => `p${name}` as RelativePath;

/** Paths that are pending until they are taken. */
function pendingPaths(count: number, fetched: ReadonlySet<RelativePath> = new Set()) {
  const pending = new Set(Array.from({ length: count }, (_, index) => path(index)));
  const clock = new FakeClock();
  const turns: RelativePath[][] = [];
  const onDue = (): number => turns.push([...due.take(2)]);
  const isFetched = (one: RelativePath): boolean => fetched.has(one);
  const due = new DuePaths({ clock, pending: () => pending, isFetched, onDue });
  return { pending, due, clock, turns };
}

test("what finds no room is found in the index, however often that is gone through in parts", () => {
  const { pending, due } = pendingPaths(3 * PULL_QUEUE_PATHS_MAX);
  for (const one of pending) due.add(one);
  assert.equal(due.size, PULL_QUEUE_PATHS_MAX);
  for (let turns = 0; pending.size > 0; turns++) {
    assert.ok(turns < 20 && (due.size > 0 || due.isOverflowing), `${pending.size} left`);
    for (const one of due.take(PULL_QUEUE_PATHS_MAX)) pending.delete(one);
    due.refill();
  }
  for (const _ of due.take(Infinity));
  due.refill();
  assert.deepEqual([due.size, due.isOverflowing], [0, false]);
});

test("a path that found no room after the index was gone through half is not forgotten", () => {
  const { pending, due } = pendingPaths(PULL_QUEUE_PATHS_MAX + 1);
  due.refill();
  due.refill();
  assert.equal(due.size, PULL_QUEUE_PATHS_MAX);
  // It was passed by already, and is taken now.
  const [first] = due.take(1);
  assert.equal(first, path(0));
  due.add(path("other"));
  due.add(path(0));
  for (const _ of due.take(Infinity));
  due.refill();
  assert.equal(due.isOverflowing, true);
  due.refill();
  assert.ok([...due.take(Infinity)].includes(path(0)));
  assert.ok(pending.has(path(0)));
});

test("what is being fetched is due when it changes and when everything is reconsidered, and not by a refill", () => {
  const { due } = pendingPaths(3, new Set([path(1)]));
  due.refill();
  assert.deepEqual([...due.take(Infinity)], [path(0), path(2)]);
  due.reconsider();
  assert.deepEqual([...due.take(Infinity)], [path(0), path(1), path(2)]);
  for (let index = 0; index < PULL_QUEUE_PATHS_MAX; index++) due.add(path(`other${index}`));
  due.add(path(1));
  assert.equal(due.isOverflowing, false);
  assert.ok([...due.take(Infinity)].includes(path(1)));
});

test("what is added while paths are taken is taken, too, and the rest stays", () => {
  const { due } = pendingPaths(0);
  due.add(path("a"));
  const taken: RelativePath[] = [];
  for (const one of due.take(3)) {
    taken.push(one);
    due.keep(path(taken.length));
  }
  assert.deepEqual(taken, [path("a"), path(1), path(2)]);
  assert.equal(due.size, 1);
});

test("what is added together has its turn together, and what is left of it after other work", async () => {
  const { due, clock, turns } = pendingPaths(0);
  for (const name of ["a", "b", "c"]) due.add(path(name));
  assert.deepEqual(turns, []);
  await Promise.resolve();
  assert.deepEqual(turns, [[path("a"), path("b")]]);
  assert.equal(due.goOn({ refills: true }), true);
  await Promise.resolve();
  assert.equal(turns.length, 1);
  clock.advance(0);
  await Promise.resolve();
  assert.deepEqual(turns.slice(1), [[path("c")]]);
  assert.equal(due.goOn({ refills: true }), false);
  assert.equal(clock.pendingTimers, 0);
});

test("the index is asked for more after a while, and only if it may be", async () => {
  const { due, clock, turns } = pendingPaths(2 * PULL_QUEUE_PATHS_MAX);
  due.refill();
  for (const _ of due.take(Infinity));
  await Promise.resolve();
  assert.deepEqual([due.isOverflowing, due.size], [true, 0]);
  assert.equal(due.goOn({ refills: false }), false);
  assert.equal(due.goOn({ refills: true }), true);
  assert.equal(due.goOn({ refills: true }), true);
  assert.equal(clock.pendingTimers, 1);
  turns.length = 0;
  clock.advance(RETRY_DELAY_MS_MIN);
  await Promise.resolve();
  assert.equal(turns.length, 1);
});

test("nothing is due after the stop", async () => {
  const { due, turns } = pendingPaths(3);
  due.add(path("a"));
  await Promise.resolve();
  due.stop();
  due.add(path("b"));
  due.refill();
  due.reconsider();
  await Promise.resolve();
  assert.deepEqual([due.size, turns], [0, [[path("a")]]]);
});
