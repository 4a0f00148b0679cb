import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNK_SIZE_BYTES_AVERAGE, RATE_BURST_BYTES_MIN } from "../core/limits.ts";
import type { Channel } from "./channel.ts";
import type { Message } from "./messages.ts";
import { RateLimiter } from "./rate-limit.ts";
import { FakeChannel } from "../../test/support/fake-channel.ts";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";

const RATE = 1_000_000;
const chunk: Message = {
  type: "chunk",
  id: 1,
  index: 0,
  encoding: "raw",
  length: CHUNK_SIZE_BYTES_AVERAGE,
  payload: new Uint8Array(CHUNK_SIZE_BYTES_AVERAGE),
};

test("senders on several channels together keep to the rate, and each gets its share", async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ bytesPerSecond: RATE, clock });
  const inners = [new FakeChannel(), new FakeChannel(), new FakeChannel()];
  const isDone = { value: false };
  const senders = inners.map((inner) => stream(limiter.limit(inner), isDone));
  await clock.run(60_000);
  const sent = inners.map((inner) => inner.sent.length * CHUNK_SIZE_BYTES_AVERAGE);
  const total = sent.reduce((sum, bytes) => sum + bytes, 0);
  // One message of debt for each channel that was let through before anything was spent.
  const slack = RATE_BURST_BYTES_MIN + 3 * (CHUNK_SIZE_BYTES_AVERAGE + 48);
  assert.ok(total <= 60 * RATE + slack, `${total} bytes`);
  assert.ok(total >= 0.97 * 60 * RATE, `${total} bytes`);
  assert.ok(Math.min(...sent) >= 0.9 * (total / 3), sent.join(", "));
  isDone.value = true;
  for (const inner of inners) inner.end();
  await Promise.all(senders);
  await clock.run(10_000);
  assert.equal(clock.pendingTimers, 0);
});

test("a channel that brings more than the rate is paused, and read on when the debt is paid", async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ bytesPerSecond: RATE, clock });
  const inner = new FakeChannel();
  const channel = limiter.limit(inner);
  let received = 0;
  channel.onMessage(() => received++);
  inner.receive(chunk, RATE_BURST_BYTES_MIN);
  assert.equal(inner.isPaused, false);
  inner.receive(chunk, RATE);
  assert.deepEqual([received, inner.isPaused], [2, true]);
  await clock.run(999);
  assert.equal(inner.isPaused, true);
  // Whoever is above may be slower still.
  channel.pause();
  await clock.run(10);
  assert.equal(inner.isPaused, true);
  channel.resume();
  assert.equal(inner.isPaused, false);
});

test("a channel that is paused by the limit stays so when the layer above resumes it", async () => {
  const clock = new FakeClock();
  const inner = new FakeChannel();
  const channel = new RateLimiter({ bytesPerSecond: RATE, clock }).limit(inner);
  channel.onMessage(() => {});
  inner.receive(chunk, 2 * RATE);
  channel.pause();
  channel.resume();
  assert.equal(inner.isPaused, true);
  await clock.run(2_100);
  assert.equal(inner.isPaused, false);
});

test("whoever waits to send is let go when the channel ends", async () => {
  const clock = new FakeClock();
  const inner = new FakeChannel();
  const channel = new RateLimiter({ bytesPerSecond: RATE, clock }).limit(inner);
  for (let count = 0; count < 10; count++) channel.send(chunk);
  assert.equal(channel.isCongested, true);
  const waiting = channel.writable();
  inner.end();
  await waiting;
  await turnEventLoop();
  assert.equal(channel.isCongested, false);
});

async function stream(channel: Channel, isDone: { readonly value: boolean }): Promise<void> {
  while (!isDone.value) {
    while (channel.isCongested) await channel.writable();
    if (!isDone.value) channel.send(chunk);
  }
}
