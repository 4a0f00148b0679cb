import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { DISK_FULL_POLL_MS } from "../core/limits.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { FullDisk } from "./full-disk.ts";

function world() {
  const clock = new FakeClock();
  const state = { freeBytes: 10, isStopped: false, isLost: false };
  const run = async (): Promise<{ freeBytes: number }> => {
    if (state.isLost) throw new Error("it is lost");
    return { freeBytes: state.freeBytes };
  };
  const told: string[] = [];
  const disk = new FullDisk({
    jobs: { run } as unknown as JobRunner,
    clock,
    root: "/f",
    isStopped: () => state.isStopped,
    onFull: ({ message }) => told.push(message),
    onRoom: () => told.push(`room, ${disk.isFull ? "still full" : "not full"}`),
  });
  const fill = (message: string): void => disk.note({ code: "ENOSPC", message });
  return { clock, state, told, disk, fill };
}

test("it is full once, until there is more room than there was", async () => {
  const { clock, state, told, disk, fill } = world();
  fill("Cannot write a.");
  fill("Cannot write b.");
  await clock.run(DISK_FULL_POLL_MS);
  assert.deepEqual([disk.isFull, told], [true, ["Cannot write a."]]);
  state.freeBytes = 11;
  await clock.run(DISK_FULL_POLL_MS);
  assert.deepEqual([disk.isFull, told], [false, ["Cannot write a.", "room, not full"]]);
  fill("Cannot write c.");
  assert.deepEqual([disk.isFull, told.at(-1)], [true, "Cannot write c."]);
});

test("nothing is told once it has stopped", async () => {
  const { clock, state, told, disk, fill } = world();
  fill("Cannot write a.");
  await clock.run(1);
  state.freeBytes = 11;
  state.isStopped = true;
  await clock.run(2 * DISK_FULL_POLL_MS);
  assert.deepEqual(told, ["Cannot write a."]);
  const stopped = world();
  stopped.state.isStopped = true;
  stopped.fill("Cannot write b.");
  assert.deepEqual([stopped.disk.isFull, stopped.told], [false, []]);
  assert.equal(disk.isFull, true);
});

test("a look at the room that is lost is made again", async () => {
  const { clock, state, told, fill } = world();
  state.isLost = true;
  fill("Cannot write a.");
  await clock.run(2 * DISK_FULL_POLL_MS);
  assert.deepEqual(told, ["Cannot write a."]);
  state.isLost = false;
  await clock.run(DISK_FULL_POLL_MS);
  assert.deepEqual(told, ["Cannot write a.", "room, not full"]);
});
