import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { pathOf } from "../../test/support/replica-world.ts";
import { Resting } from "./resting.ts";

test("what is found changed rests longer each time, until something must be in its way", () => {
  const clock = new FakeClock();
  const rested: number[] = [];
  const resting = new Resting({ clock, onRested: () => rested.push(clock.monotonic()) });
  const path = pathOf("a");
  let atMs = 0;
  for (let attempt = 1; attempt <= 8; attempt++) {
    assert.equal(resting.add(path), true);
    clock.advance(50 * attempt - 1);
    assert.equal(resting.has(path), true);
    clock.advance(1);
    atMs += 50 * attempt;
    assert.deepEqual([resting.has(path), rested.at(-1)], [false, atMs]);
  }
  assert.deepEqual([resting.add(path), resting.has(path), clock.pendingTimers], [false, false, 0]);
  assert.equal(resting.add(pathOf("b")), true);
  resting.forgetAttempts(path);
  assert.deepEqual([resting.add(path), resting.has(path)], [true, true]);
});
