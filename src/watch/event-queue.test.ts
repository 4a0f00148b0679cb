import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { turnEventLoop } from "../../test/support/fake-clock.ts";
import { removeDirectory, temporaryDirectory } from "../../test/support/trees.ts";
import { waitFor } from "../../test/support/wait.ts";
import { EventQueue, queueLength } from "./event-queue.ts";
import { InotifyWatcher } from "./inotify-watcher.ts";

const skip = process.platform === "linux" ? false : "inotify is Linux's";

test("what comes in one turn counts, once, and what comes in many does not", () => {
  const turns: (() => void)[] = [];
  const queue = new EventQueue(400, (action) => turns.push(action));
  const add = (events: number): number => Array.from({ length: events }, () => queue.add()).filter(Boolean).length;
  for (let turn = 0; turn < 50; turn++) {
    assert.equal(add(99), 0);
    for (const action of turns.splice(0)) action();
  }
  assert.equal(add(99), 0);
  assert.equal(add(1), 1);
  assert.equal(add(1_000), 0);
  for (const action of turns.splice(0)) action();
  assert.equal(add(100), 1);
});

/** The folder, watched, with what was told of it. */
async function watched(): Promise<{
  root: string;
  told: { hints: number; overflows: number };
  watcher: InotifyWatcher;
}> {
  const root = temporaryDirectory();
  for (const name of ["a", "b"]) fs.writeFileSync(join(root, name), "");
  const watcher = new InotifyWatcher({ root, isIgnoredDirectory: () => false });
  const told = { hints: 0, overflows: 0 };
  await watcher.start({
    hint: () => told.hints++,
    overflow: () => told.overflows++,
    problem: (problem) => assert.fail(problem.message),
  });
  return { root, told, watcher };
}

/** Events that the kernel does not join, since they are of two files in turn. */
function touch(root: string, times: number): void {
  for (let i = 0; i < times; i++) fs.utimesSync(join(root, i % 2 === 0 ? "a" : "b"), i, i);
}

test("more events than the kernel keeps are noticed", { skip }, async () => {
  const { root, told, watcher } = await watched();
  try {
    // In one turn: nobody reads them meanwhile.
    touch(root, queueLength() + 100);
    await waitFor(() => told.overflows > 0, { until: "the overflow is told" });
    // It was one indeed.
    assert.ok(told.hints <= queueLength(), `${told.hints} hints`);
  } finally {
    await watcher.stop();
    removeDirectory(root);
  }
});

test("as many events in small parts are no overflow", { skip }, async () => {
  const { root, told, watcher } = await watched();
  try {
    const [parts, events] = [40, Math.ceil(queueLength() / 20)];
    for (let part = 1; part <= parts; part++) {
      touch(root, events);
      await waitFor(() => told.hints >= part * events, { until: "all of them are told" });
      await turnEventLoop();
    }
    assert.equal(told.hints, parts * events);
    assert.equal(told.overflows, 0);
  } finally {
    await watcher.stop();
    removeDirectory(root);
  }
});
