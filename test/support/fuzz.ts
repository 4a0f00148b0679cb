// Runs a parser on thousands of inputs from one seed: it must return, or throw what it says it throws, and be quick.

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { DsyncError, type ErrorCode } from "../../src/core/errors.ts";
import { testSeed } from "./seeded.ts";

const seed = testSeed();
const RUNS = 2_000;
/** Of the processor: far more than any input of this size may take, far less than a person would call hanging. */
const INPUT_MS_MAX = 2_000;

export interface FuzzOptions {
  /** The code of the DsyncErrors that are documented; nothing else may be thrown. */
  readonly mayThrow?: ErrorCode;
  readonly runs?: number;
}

export function fuzz<T>(inputs: fc.Arbitrary<T>, parse: (input: T) => unknown, options: FuzzOptions = {}): void {
  const { mayThrow, runs = RUNS } = options;
  fc.assert(
    fc.property(inputs, (input) => {
      const start = process.cpuUsage();
      try {
        parse(input);
      } catch (error) {
        if (!(error instanceof DsyncError) || error.code !== mayThrow) throw error;
      }
      const { user, system } = process.cpuUsage(start);
      assert.ok((user + system) / 1000 < INPUT_MS_MAX, "it takes too long");
    }),
    { seed, numRuns: runs },
  );
}
