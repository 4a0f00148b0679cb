import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import type { RelativePath } from "../core/path.ts";
import type { Content, Entry, PathRecord } from "../index/entry.ts";
import { emptyRecord } from "../index/settle.ts";
import { PatientRepairs, REPAIR_DELAY_MS, REPAIR_PATIENCE_MS } from "./patient-repairs.ts";

const DRAFTS = pathOf("drafts");
const DIRECTORY: Content = { kind: "directory", mode: 0o755 };
const GONE: Entry = { seen: [[replicaIdOf(1), 2]], live: undefined };

function entryOf(content: Content): Entry {
  const dot = { replica: replicaIdOf(1), counter: 1 };
  return { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "there", content } };
}

/** It is to go, and is on this disk still. */
const LEAVING: PathRecord = { ...emptyRecord(DRAFTS), known: GONE, present: entryOf(DIRECTORY) };

test("a directory that is to go and is still there waits for its repair, once, and asks again when that is due", async () => {
  const clock = new FakeClock();
  const due: RelativePath[] = [];
  const repairs = new PatientRepairs({ clock, onDue: (path) => due.push(path) });
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
  await clock.run(REPAIR_PATIENCE_MS - 1_000);
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
  assert.deepEqual(due, []);
  await clock.run(2_000);
  assert.deepEqual(due, [DRAFTS]);
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), true);
  assert.equal(repairs.mayRepair(pathOf("other"), LEAVING), false);
  repairs.stop();
  assert.equal(clock.pendingTimers, 0);
});

test("each repair waits, also where another one has been made before (simulation, seed 15607556 with slow commits)", async () => {
  const clock = new FakeClock();
  const repairs = new PatientRepairs({ clock, onDue: () => {} });
  assert.equal(repairs.mayRepair(DRAFTS, undefined), false);
  await clock.run(REPAIR_DELAY_MS + 100);
  assert.equal(repairs.mayRepair(DRAFTS, undefined), true);
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
});

test("what needs no repair any more waits from the beginning when it needs one again", async () => {
  const clock = new FakeClock();
  const due: RelativePath[] = [];
  const repairs = new PatientRepairs({ clock, onDue: (path) => due.push(path) });
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
  await clock.run(REPAIR_PATIENCE_MS - 1_000);
  repairs.forget(DRAFTS);
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
  await clock.run(2_000);
  assert.deepEqual(due, []);
  await clock.run(REPAIR_PATIENCE_MS);
  assert.deepEqual(due, [DRAFTS]);
  repairs.forget(DRAFTS);
  assert.equal(repairs.mayRepair(DRAFTS, LEAVING), false);
});

test("what is to take the place of a directory that is in use waits as long", async () => {
  const clock = new FakeClock();
  const repairs = new PatientRepairs({ clock, onDue: () => assert.fail("not yet") });
  const link = entryOf({ kind: "symlink", target: "elsewhere" });
  assert.equal(repairs.mayRepair(DRAFTS, { ...LEAVING, known: link }), false);
  await clock.run(REPAIR_PATIENCE_MS - 1_000);
});

test("what this disk lacks is repaired soon", async () => {
  const [unheardOf, gone] = [pathOf("unheard-of"), pathOf("gone")];
  const clock = new FakeClock();
  const due: RelativePath[] = [];
  const repairs = new PatientRepairs({ clock, onDue: (path) => due.push(path) });
  const ask = (): readonly boolean[] => [
    repairs.mayRepair(unheardOf, undefined),
    repairs.mayRepair(gone, { ...LEAVING, present: GONE }),
  ];
  assert.deepEqual(ask(), [false, false]);
  await clock.run(REPAIR_DELAY_MS + 100);
  assert.deepEqual(
    [due, ask()],
    [
      [unheardOf, gone],
      [true, true],
    ],
  );
});
