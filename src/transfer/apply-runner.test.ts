import assert from "node:assert/strict";
import { test } from "node:test";
import { turnEventLoop } from "../../test/support/fake-clock.ts";
import { pathOf } from "../../test/support/replica-world.ts";
import { APPLY_OPERATIONS_MAX } from "../core/limits.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { EMPTY_ENTRY } from "../index/entry.ts";
import type { ApplyRequest, ApplyResult } from "./apply-operation.ts";
import { ApplyRunner } from "./apply-runner.ts";
import type { Work } from "./work.ts";

const removalOf = (name: string): Work => ({
  path: pathOf(name),
  operation: { kind: "remove", diskPath: name, expected: "absent" },
  target: EMPTY_ENTRY,
  movedFrom: undefined,
});

/** Jobs end when `finish` is called, one after the other. */
function world({ commit = () => Promise.resolve() }: { readonly commit?: () => Promise<void> } = {}) {
  const asked: ApplyRequest[] = [];
  const ends: ((result: ApplyResult) => void)[] = [];
  const told: string[] = [];
  const run = (_: string, request: ApplyRequest): Promise<ApplyResult> => {
    asked.push(request);
    return new Promise((resolve) => ends.push(resolve));
  };
  const runner = new ApplyRunner({
    store: { committed: commit },
    jobs: { run } as unknown as JobRunner,
    identity: { root: "/f", device: 1n, inode: 2n, markerInode: 3n },
    trashBatch: () => "batch",
    onOutcomes: async (works) => {
      await turnEventLoop(1);
      told.push(...works.map(({ path }) => path));
    },
    onPutOff: (works) => told.push(`${works.length} put off`),
    onRootChanged: () => told.push("root changed"),
    onDone: () => told.push("done"),
  });
  const finish = async (result: ApplyResult = { kind: "applied", outcomes: [] }): Promise<void> => {
    ends.shift()?.(result);
    await turnEventLoop();
  };
  return { runner, asked, told, finish };
}

test("a path is under way until its outcome has been handed on", async () => {
  const { runner, asked, told, finish } = world();
  const run = runner.run([removalOf("a")]);
  await turnEventLoop();
  const underWay = runner.underWayAt(pathOf("a"));
  assert.deepEqual([asked.length, runner.isIdle], [1, false]);
  assert.ok(underWay !== undefined);
  await Promise.all([finish(), underWay.then(() => told.push("not under way"))]);
  await run;
  assert.deepEqual(told, ["a", "done", "not under way"]);
  assert.deepEqual([runner.underWayAt(pathOf("a")), runner.isIdle], [undefined, true]);
});

test("many are done in several jobs, at once or in order, each with a number of its own", async () => {
  const works = Array.from({ length: APPLY_OPERATIONS_MAX + 1 }, (_, index) => removalOf(`${index}`));
  for (const inOrder of [false, true]) {
    const { runner, asked, told, finish } = world();
    void runner.run(works, { inOrder });
    await turnEventLoop();
    assert.equal(asked.length, inOrder ? 1 : 2);
    const idle = runner.untilIdle().then(() => told.push("idle"));
    await finish();
    await finish();
    await idle;
    assert.deepEqual(
      asked.map(({ operations, jobId }) => [operations.length, jobId]),
      [
        [APPLY_OPERATIONS_MAX, 0],
        [1, 1],
      ],
    );
    assert.equal(told.filter((what) => what === "done").length, 2);
  }
});

test("nothing is done before the index has committed, nor if it cannot", async () => {
  let commit = (): void => {};
  const waiting = world({ commit: () => new Promise((resolve) => (commit = resolve)) });
  void waiting.runner.run([removalOf("a")]);
  await turnEventLoop();
  assert.equal(waiting.asked.length, 0);
  commit();
  await turnEventLoop();
  assert.equal(waiting.asked.length, 1);

  const failing = world({ commit: () => Promise.reject(new Error("the disk is full")) });
  await failing.runner.run([removalOf("a")]);
  assert.deepEqual([failing.asked, failing.told], [[], ["1 put off", "done"]]);
});

test("another folder is told, and no outcome", async () => {
  const { runner, told, finish } = world();
  const run = runner.run([removalOf("a")]);
  await turnEventLoop();
  await finish({ kind: "root-changed" });
  await run;
  assert.deepEqual(told, ["root changed", "done"]);
});
