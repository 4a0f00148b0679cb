// Random histories of a ReplicaWorld, each replayed alone from its seed.

import type { TestContext } from "node:test";
import type { Step } from "./replica-world.ts";
import { Prng, testSeed } from "./seeded.ts";

/** Calls `run` `count` times, each with the numbers of its own seed; a failure says how to replay it alone. */
export function runRandomHistories(t: TestContext, count: number, run: (prng: Prng) => void): void {
  const seed = testSeed();
  t.diagnostic(`DSYNC_TEST_SEED=${seed}`);
  for (let i = 0; i < count; i++) {
    try {
      run(new Prng(seed + i));
    } catch (error) {
      throw new Error(`history ${i}: replay it alone with DSYNC_TEST_SEED=${seed + i}`, { cause: error });
    }
  }
}

export interface StepsDrawn {
  readonly kinds: readonly Step["kind"][];
  readonly count: number;
  /** How many paths a step chooses from. */
  readonly paths: number;
}

export function randomSteps(prng: Prng, { kinds, count, paths }: StepsDrawn): Step[] {
  return Array.from({ length: count }, () => ({
    kind: kinds[prng.below(kinds.length)] ?? "write",
    replica: prng.below(4),
    path: prng.below(paths),
    choice: prng.below(1000),
    elapsedMs: prng.pick([0, 1, 700, 5000]),
    mtimeAgeMs: prng.pick([0, 10, 3000, 100_000]),
  }));
}
