import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { RootCheck } from "./root-check.ts";

function world() {
  const clock = new FakeClock();
  const seen = { looks: 0, changes: 0, isChanged: false, isLost: false };
  const run = async (): Promise<{ kind: string }> => {
    seen.looks++;
    if (seen.isLost) throw new Error("it is lost");
    return { kind: seen.isChanged ? "root-changed" : "looked" };
  };
  const check = new RootCheck({
    jobs: { run } as unknown as JobRunner,
    clock,
    identity: { root: "/f", device: 1n, inode: 2n, markerInode: 3n },
    onRootChanged: () => seen.changes++,
  });
  return { clock, seen, check };
}

test("the folder is looked at every two seconds until it is another one", async () => {
  const { clock, seen, check } = world();
  check.start();
  await clock.run(4_000);
  assert.deepEqual([seen.looks, seen.changes], [2, 0]);
  seen.isChanged = true;
  await clock.run(10_000);
  assert.deepEqual([seen.looks, seen.changes], [3, 1]);
});

test("it is not looked at once that is stopped", async () => {
  const { clock, seen, check } = world();
  check.start();
  await clock.run(2_000);
  check.stop();
  await clock.run(10_000);
  assert.equal(seen.looks, 1);
});

test("a look that is lost says nothing, and there is another one", async () => {
  const { clock, seen, check } = world();
  seen.isLost = true;
  check.start();
  await clock.run(4_000);
  seen.isLost = false;
  await clock.run(2_000);
  assert.deepEqual([seen.looks, seen.changes], [3, 0]);
});
