import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import { emptyRecord } from "../index/settle.ts";
import { PathStates } from "./path-states.ts";

const [A, B, DEEP] = [pathOf("a"), pathOf("b"), pathOf("a/deep")];
const PROBLEM = { code: "EACCES", message: "Cannot write." };

const pendingAt = (path: RelativePath): PathRecord => {
  const dot = { replica: replicaIdOf(1), counter: 1 };
  const content = { kind: "directory", mode: 0o755 } as const;
  return { ...emptyRecord(path), known: { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "a", content } } };
};

/** `due`: what was made due since it was asked last. */
function world() {
  const clock = new FakeClock();
  const dueNow: string[] = [];
  const records = new Map<RelativePath, PathRecord>();
  const fetched = new Set<RelativePath>();
  const states = new PathStates({
    clock,
    store: { get: (path) => records.get(path) },
    due: { add: (path) => dueNow.push(path), keep: (path) => dueNow.push(`${path} kept`) },
    isFetched: (path) => fetched.has(path),
    isComparing: () => false,
    onRepair: () => {},
    onProblem: () => {},
    onSolved: () => {},
  });
  return { clock, states, records, fetched, due: () => dueNow.splice(0) };
}

test("what is waited for is due, unless it is on its way or has its turn later", () => {
  const { clock, states, fetched, due } = world();
  states.waitFor(A, B);
  assert.deepEqual(due(), [A]);
  states.begin(A);
  states.waitFor(A, B);
  states.end(A);
  fetched.add(A);
  states.waitFor(A, B);
  fetched.clear();
  states.rest(A);
  states.waitFor(A, B);
  assert.deepEqual(due(), []);
  clock.advance(50);
  assert.deepEqual(due(), [A]);
  // It waits itself.
  states.waitFor(DEEP, A);
  assert.deepEqual(due(), [DEEP]);
  states.waitFor(A, B);
  assert.deepEqual(due(), []);
});

test("who waited is due when the path came to an end, and so is the directory above that was to be repaired", () => {
  const { states, due } = world();
  states.begin(DEEP);
  states.waitFor(DEEP, B);
  states.askForRepair(A);
  states.release(DEEP);
  assert.deepEqual([states.isBusy(DEEP), due()], [false, [A, B]]);
  assert.deepEqual([states.reopen(A), states.reopen(A)], [true, false]);
  states.wake(DEEP);
  assert.deepEqual(due(), []);
});

test("what failed is not open until its time has come, or the path holds what is known", () => {
  const { clock, states, records, due } = world();
  records.set(A, pendingAt(A));
  states.fail(A, PROBLEM);
  assert.equal(states.isOpen(A), false);
  records.set(A, emptyRecord(A));
  assert.equal(states.isOpen(A), true);
  records.set(A, pendingAt(A));
  clock.advance(1_000);
  assert.deepEqual([states.isOpen(A), due()], [true, [A]]);
  states.begin(A);
  assert.equal(states.isOpen(A), false);
});

test("what was seen is due if it is pending, or if somebody or something follows it", () => {
  const { states, fetched, due } = world();
  states.noteSeen(emptyRecord(A));
  assert.deepEqual(due(), []);
  states.noteSeen(pendingAt(A));
  assert.deepEqual(due(), [A]);
  fetched.add(A);
  states.noteSeen(emptyRecord(A));
  fetched.clear();
  states.fail(A, PROBLEM);
  states.noteSeen(emptyRecord(A));
  states.wake(A);
  states.begin(A);
  states.waitFor(A, B);
  states.noteSeen(emptyRecord(A));
  assert.deepEqual(due(), [A, A, A]);
});
