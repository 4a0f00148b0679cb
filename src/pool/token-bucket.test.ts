import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyedBuckets, TokenBucket } from "./token-bucket.ts";

test("no more is spent than the capacity and what grew meanwhile", () => {
  const attempts = fc.array(fc.record({ waitMs: fc.nat(500), count: fc.integer({ min: 1, max: 20 }) }));
  fc.assert(
    fc.property(attempts, (steps) => {
      const bucket = new TokenBucket({ capacity: 30, tokensPerMs: 0.1, nowMs: 0 });
      let nowMs = 0;
      let spent = 0;
      for (const { waitMs, count } of steps) {
        nowMs += waitMs;
        if (bucket.tokens(nowMs) < count) continue;
        bucket.spend(count, nowMs);
        spent += count;
      }
      assert.ok(spent <= 30 + nowMs * 0.1 + 1e-6);
      assert.ok(bucket.tokens(nowMs) >= 0 && bucket.tokens(nowMs) <= 30);
    }),
  );
});

test("a debt is paid back over time, and time going back changes nothing", () => {
  const bucket = new TokenBucket({ capacity: 10, tokensPerMs: 0.01, nowMs: 1_000 });
  bucket.spend(25, 1_000);
  assert.equal(bucket.tokens(1_000), -15);
  assert.equal(bucket.msUntil(0, 1_000), 1_500);
  assert.equal(bucket.tokens(500), -15);
  assert.equal(bucket.tokens(2_500), 0);
  assert.equal(bucket.msUntil(0, 2_500), 0);
  assert.equal(bucket.tokens(1_000_000), 10);
});

test("keys do not share tokens, and what is given back may be taken again", () => {
  const buckets = new KeyedBuckets({ capacity: 2, tokensPerMs: 0.001, keysMax: 10 });
  assert.deepEqual([buckets.take("a", 0), buckets.take("a", 0), buckets.take("a", 0)], [true, true, false]);
  assert.equal(buckets.take("b", 0), true);
  buckets.giveBack("a", 0);
  assert.deepEqual([buckets.take("a", 0), buckets.take("a", 0)], [true, false]);
  assert.equal(buckets.take("a", 1_000), true);
});

test("the number of keys is bounded, and those in use are remembered", () => {
  const buckets = new KeyedBuckets({ capacity: 1, tokensPerMs: 0, keysMax: 100 });
  for (let count = 0; count < 1_000; count++) {
    buckets.take("busy", 0);
    buckets.take(`other ${count}`, 0);
  }
  assert.equal(buckets.size, 100);
  assert.equal(buckets.take("busy", 0), false);
});
