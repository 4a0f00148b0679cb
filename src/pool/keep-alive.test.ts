import assert from "node:assert/strict";
import { test } from "node:test";
import { KeepAlive } from "./keep-alive.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";

function watch() {
  const clock = new FakeClock();
  const watched = { bytesReceived: 0, isPaused: false, pings: 0, ping: () => void watched.pings++ };
  const silentAtMs: number[] = [];
  const keepAlive = new KeepAlive({ clock, watched, onSilent: () => silentAtMs.push(clock.monotonic()) });
  return { clock, watched, silentAtMs, keepAlive };
}

test("silence brings a ping after 10 s, another after 20, and the end after 30", () => {
  const { clock, watched, silentAtMs } = watch();
  clock.advance(9_999);
  assert.equal(watched.pings, 0);
  clock.advance(1);
  assert.equal(watched.pings, 1);
  clock.advance(19_999);
  assert.deepEqual([watched.pings, silentAtMs.length], [2, 0]);
  clock.advance(1);
  assert.deepEqual(silentAtMs, [30_000]);
  clock.advance(100_000);
  assert.equal(silentAtMs.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test("whoever sends something now and then is neither pinged nor given up", () => {
  const { clock, watched, silentAtMs } = watch();
  for (let second = 0; second < 300; second += 4) {
    clock.advance(4_000);
    watched.bytesReceived++;
  }
  assert.deepEqual([watched.pings, silentAtMs.length], [0, 0]);
});

test("while we do not read, the peer is pinged but not given up, and has its whole time afterwards", () => {
  const { clock, watched, silentAtMs } = watch();
  watched.isPaused = true;
  clock.advance(300_000);
  assert.equal(silentAtMs.length, 0);
  assert.ok(watched.pings >= 29);
  watched.isPaused = false;
  clock.advance(15_000);
  assert.equal(silentAtMs.length, 0);
  clock.advance(15_000);
  assert.equal(silentAtMs.length, 1);
});

test("a probe that is answered changes nothing; one that is not ends it within seconds", () => {
  const { clock, watched, silentAtMs, keepAlive } = watch();
  keepAlive.probe();
  assert.equal(watched.pings, 1);
  clock.advance(1_000);
  watched.bytesReceived++;
  clock.advance(3_000);
  assert.equal(silentAtMs.length, 0);
  keepAlive.probe();
  keepAlive.probe();
  assert.equal(watched.pings, 2);
  clock.advance(3_000);
  assert.equal(silentAtMs.length, 1);
});

test("after it was stopped nothing happens any more", () => {
  const { clock, watched, silentAtMs, keepAlive } = watch();
  keepAlive.probe();
  keepAlive.stop();
  keepAlive.probe();
  clock.advance(100_000);
  assert.deepEqual([watched.pings, silentAtMs.length, clock.pendingTimers], [1, 0, 0]);
});
