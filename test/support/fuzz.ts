// Runs a parser on thousands of inputs from one seed: it must return, or throw what it says it throws, and be quick.

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { DsyncError, type ErrorCode } from "../../src/core/errors.ts";
import { testSeed } from "./seeded.ts";

const seed = testSeed();
const RUNS = 2_000;
/** Far more than any input of this size may take, far less than a person would call hanging. */
const INPUT_MS_MAX = 2_000;

/** `mayThrow`: the code of the DsyncErrors that are documented; nothing else may be thrown. */
export function fuzz<T>(inputs: fc.Arbitrary<T>, parse: (input: T) => unknown, mayThrow?: ErrorCode): void {
  fc.assert(
    fc.property(inputs, (input) => {
      const start = performance.now();
      try {
        parse(input);
      } catch (error) {
        if (!(error instanceof DsyncError) || error.code !== mayThrow) throw error;
      }
      assert.ok(performance.now() - start < INPUT_MS_MAX, "it takes too long");
    }),
    { seed, numRuns: RUNS },
  );
}
