// The small parts: queue, delays, spelling, schedule, batches.

import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RESCAN_INTERVAL_MS } from "../core/limits.ts";
import { parsePath, type RelativePath } from "../core/path.ts";
import { DelayQueue } from "./delay-queue.ts";
import { batchesOf } from "./hash-batches.ts";
import { RescanSchedule } from "./rescan-schedule.ts";
import { Spelling } from "./spelling.ts";
import { joined, suspect, Suspects, type Suspect } from "./suspects.ts";

function pathOf(text: string): RelativePath {
  const path = parsePath(text);
  assert.ok(path !== undefined);
  return path;
}

test("a path that is being looked at waits until that is over, with all that came in for it", () => {
  const suspects = new Suspects();
  suspects.add(suspect("a", { isWalked: true }));
  suspects.add(suspect("a", { isUrgent: true }));
  assert.deepEqual(suspects.take("urgent", 10), [suspect("a", { isUrgent: true })]);
  suspects.add(suspect("a", { isRacy: true }));
  suspects.add(suspect("a", { isSecondLook: true }));
  assert.deepEqual([suspects.take("bulk", 10), suspects.claim("a"), suspects.size], [[], false, 1]);
  suspects.done("a");
  assert.deepEqual(suspects.take("bulk", 10), [suspect("a", { isRacy: true, isSecondLook: true })]);
  suspects.done("a");
  assert.equal(suspects.size, 0);
});

test("what is delayed falls due together, each at its earliest time, as far as there is room", async () => {
  const clock = new FakeClock();
  const due: (readonly [string, number])[] = [];
  const queue = new DelayQueue<string, number>({ clock, sizeMax: 2, onDue: (batch) => due.push(...batch) });
  assert.deepEqual([queue.put("a", 100, 1), queue.put("b", 50, 2), queue.put("c", 10, 3)], [true, true, false]);
  queue.put("a", 500, 4);
  await clock.run(60);
  assert.deepEqual(due, [["b", 2]]);
  await clock.run(60);
  assert.deepEqual(
    [due, queue.size, clock.pendingTimers],
    [
      [
        ["b", 2],
        ["a", 4],
      ],
      0,
      0,
    ],
  );
});

test("what waits twice for another look asks for all that either asked for, at the earlier time", async () => {
  const clock = new FakeClock();
  const due: Suspect[] = [];
  const queue = new DelayQueue<string, Suspect>({
    clock,
    sizeMax: 2,
    join: joined,
    onDue: (batch) => due.push(...batch.map(([, value]) => value)),
  });
  queue.put("a", 50, suspect("a", { isSecondLook: true }));
  queue.put("a", 500, suspect("a", { isUrgent: true }));
  await clock.run(60);
  assert.deepEqual(due, [suspect("a", { isSecondLook: true, isUrgent: true })]);
});

test("disk spellings are kept, found again after a restart, and undone", () => {
  const meta = new Map<string, Uint8Array>();
  const store = {
    getMeta: (name: string) => meta.get(name),
    putMeta: (name: string, value: Uint8Array) => void meta.set(name, value),
  };
  const before = new Spelling(store);
  const [outer, inner, plain] = [pathOf("ä"), pathOf("ä/b/ö"), pathOf("ä/b/c")];
  before.note(outer, "a\u0308");
  before.note(inner, "o\u0308");
  before.save();
  const spelling = new Spelling(store);
  assert.equal(spelling.toDisk(inner), "a\u0308/b/o\u0308");
  assert.equal(spelling.toDisk(plain), "a\u0308/b/c");
  assert.equal(spelling.fromDisk("a\u0308/b/o\u0308"), inner);
  spelling.note(outer, "ä");
  assert.equal(spelling.toDisk(inner), "ä/b/o\u0308");
  for (const bad of ["a\ud800", "a/../b", "", "/a"]) assert.equal(spelling.fromDisk(bad), undefined);
  meta.set("spelling", Buffer.from('[["../x","y"],["a","../y"],["b",1],"c"'));
  assert.equal(new Spelling(store).toDisk(pathOf("a")), "a");
});

test("a scan is due now and then, and after the machine slept", async () => {
  const clock = new FakeClock();
  let scans = 0;
  const random = { bytes: (length: number) => new Uint8Array(length), fraction: () => 0.5 };
  const schedule = new RescanSchedule({ clock, random, scan: () => scans++, isQuiet: () => true });
  schedule.noteScan();
  await clock.run(RESCAN_INTERVAL_MS * 0.9);
  assert.equal(scans, 0);
  await clock.run(RESCAN_INTERVAL_MS * 0.15);
  assert.ok(scans > 0);
  schedule.noteScan();
  scans = 0;
  clock.jump(3_600_000);
  await clock.run(20_000);
  assert.equal(scans, 1);
  schedule.stop();
  assert.equal(clock.pendingTimers, 0);
});

test("a scan after an overflow waits until it is quiet, but not for ever", async () => {
  const clock = new FakeClock();
  let scans = 0;
  let isQuiet = false;
  const random = { bytes: (length: number) => new Uint8Array(length), fraction: () => 0.5 };
  const schedule = new RescanSchedule({ clock, random, scan: () => scans++, isQuiet: () => isQuiet });
  schedule.scanWhenQuiet();
  schedule.scanWhenQuiet();
  await clock.run(3000);
  assert.equal(scans, 0);
  isQuiet = true;
  await clock.run(1000);
  assert.equal(scans, 1);
  isQuiet = false;
  schedule.scanWhenQuiet();
  await clock.run(60_000);
  assert.equal(scans, 2);
});

test("batches are bounded by number and by bytes", () => {
  const sizes = [...Array.from({ length: 300 }, () => 1), 40 * 2 ** 20, 20 * 2 ** 20, 20 * 2 ** 20];
  const batches = batchesOf(sizes, (size) => size);
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [128, 128, 44, 1, 1, 1],
  );
});
