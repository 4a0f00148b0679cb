import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { retryDelayMs, retryDelayMsMax } from "./backoff.ts";

test("waits are quick at first, double, and stop growing at half a minute", () => {
  assert.deepEqual([0, 1, 2, 3, 4].map(retryDelayMsMax), [100, 250, 500, 1000, 2000]);
  assert.deepEqual([8, 9, 100, 5000].map(retryDelayMsMax), [30_000, 30_000, 30_000, 30_000]);
});

test("a peer that is back within five seconds is dialled within a few more", () => {
  let elapsedMs = 0;
  for (let failures = 0; elapsedMs < 5_000; failures++) elapsedMs += retryDelayMsMax(failures);
  assert.ok(elapsedMs <= 10_000, `${elapsedMs} ms`);
});

test("all of a wait is random", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, fraction) => {
      const delayMs = retryDelayMs(failures, fraction);
      assert.ok(delayMs >= 0 && delayMs <= retryDelayMsMax(failures));
      assert.equal(retryDelayMs(failures, 0), 0);
    }),
  );
});
