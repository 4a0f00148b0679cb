// The watcher with a scanner that looks at its hints and tells it of directories: nothing may be missed without a scan.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ScannerWorld } from "../../test/support/scanner-world.ts";
import { Prng, testSeed } from "../../test/support/seeded.ts";
import { waitFor } from "../../test/support/wait.ts";
import { InotifyWatcher } from "./inotify-watcher.ts";

const skip = process.platform === "linux" ? false : "inotify is Linux's";

interface Watched {
  readonly world: ScannerWorld;
  readonly watcher: InotifyWatcher;
  readonly hints: string[];
  readonly problems: unknown[];
}

async function watched(): Promise<Watched> {
  const world = new ScannerWorld();
  const isIgnoredDirectory = (): boolean => false;
  const watcher = new InotifyWatcher({ root: world.root, isIgnoredDirectory });
  const hints: string[] = [];
  const problems: unknown[] = [];
  await watcher.start({
    hint: (diskPath) => {
      hints.push(diskPath);
      world.hint(diskPath);
    },
    overflow: () => assert.fail("nobody scans here"),
    problem: (problem) => problems.push(problem),
  });
  world.onDirectory = (diskPath) => watcher.directorySeen(diskPath);
  return { world, watcher, hints, problems };
}

/** Resolves when the index says what is on the disk, from hints alone. */
async function caughtUp(world: ScannerWorld): Promise<void> {
  await waitFor(
    () => {
      world.assertMatchesDisk();
      return world.scanner.isQuiet;
    },
    { until: "the index says what is on the disk" },
  );
}

test(
  "what happens in directories that were made, moved or replaced while we watch is hinted at",
  { skip },
  async (t) => {
    const { world, watcher, hints } = await watched();
    t.after(async () => {
      await watcher.stop();
      world.close();
    });
    world.write("a/b/c/f");
    await caughtUp(world);
    fs.renameSync(world.disk("a/b"), world.disk("moved"));
    fs.mkdirSync(world.disk("a/b"));
    await caughtUp(world);
    hints.length = 0;
    world.write("moved/c/g");
    world.write("a/b/h");
    await waitFor(() => ["moved/c/g", "a/b/h"].every((path) => hints.includes(path)), { until: "both are hinted at" });
    assert.ok(!hints.includes("a/b/c/g"), "by the name that it has now");
    await caughtUp(world);
  },
);

test("whatever a person does to a tree, its watcher and its looks find out without a scan", { skip }, async (t) => {
  const seed = testSeed();
  t.diagnostic(`seed ${seed}`);
  const random = new Prng(seed);
  const { world, watcher, problems } = await watched();
  t.after(async () => {
    await watcher.stop();
    world.close();
  });
  const names = ["a", "b", "c"];
  const pathOf = (depth: number): string =>
    Array.from({ length: 1 + random.below(depth) }, () => names[random.below(names.length)] ?? "a").join("/");
  const acts: (() => void)[] = [
    () => world.write(`${pathOf(4)}/f${random.below(3)}`, String(random.below(1_000_000))),
    () => world.write(`${pathOf(4)}/f${random.below(3)}`, String(random.below(1_000_000))),
    () => void fs.mkdirSync(world.disk(pathOf(4)), { recursive: true }),
    () => fs.renameSync(world.disk(pathOf(3)), world.disk(pathOf(3))),
    () => fs.rmSync(world.disk(pathOf(3)), { recursive: true }),
  ];
  for (let round = 0; round < 40; round++) {
    for (let act = 0; act < 12; act++) {
      try {
        acts[random.below(acts.length)]?.();
      } catch {
        // Not possible in this tree.
      }
      if (random.below(3) === 0) await sleep(random.below(20));
    }
    if (round % 8 === 7) await caughtUp(world);
  }
  await caughtUp(world);
  assert.deepEqual(problems, []);
});
