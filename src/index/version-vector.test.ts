import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng, testSeed } from "../../test/support/seeded.ts";
import { replicaNumber } from "../../test/support/hostile-entries.ts";
import { VECTOR_ITEMS_MAX } from "../core/limits.ts";
import { boundedVector, joinVectors, vectorsEqual, type VersionVector } from "./version-vector.ts";

const seed = testSeed();

/** Many replicas out of somewhat more, with counters that meet. */
function randomVector(prng: Prng): VersionVector {
  const items: (readonly [ReturnType<typeof replicaNumber>, number])[] = [];
  for (let number = 0; number < 1.5 * VECTOR_ITEMS_MAX; number++) {
    if (prng.below(3) > 0) items.push([replicaNumber(number), 1 + prng.below(50)]);
  }
  return boundedVector(items, undefined);
}

test("joined and bounded in any order, vectors are the same", () => {
  const prng = new Prng(seed);
  const join = (a: VersionVector, b: VersionVector): VersionVector => boundedVector(joinVectors(a, b), undefined);
  for (let round = 0; round < 20; round++) {
    const [a, b, c] = [randomVector(prng), randomVector(prng), randomVector(prng)] as const;
    const context = `DSYNC_TEST_SEED=${seed}, round ${round}`;
    assert.equal(joinVectors(a, b).length > VECTOR_ITEMS_MAX, true, "nothing is left out");
    assert.ok(vectorsEqual(join(a, b), join(b, a)), context);
    assert.ok(vectorsEqual(join(join(a, b), c), join(a, join(b, c))), context);
    assert.ok(vectorsEqual(join(a, a), a), context);
  }
});

test("a bounded vector keeps the greatest counters, and the one that is asked for", () => {
  const items: VersionVector = Array.from({ length: VECTOR_ITEMS_MAX + 3 }, (_, n) => [replicaNumber(n), 10 + n]);
  assert.deepEqual(boundedVector(items, undefined), items.slice(3));
  assert.deepEqual(boundedVector(items, replicaNumber(1)), [items[1], ...items.slice(4)]);
  assert.equal(boundedVector(items.slice(3), undefined).length, VECTOR_ITEMS_MAX);
});
