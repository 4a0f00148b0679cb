// Waiting for a condition, in simulated time, with a deadline. (In real time: wait.ts.)

import assert from "node:assert/strict";
import { turnEventLoop, type FakeClock } from "./fake-clock.ts";

const STEP_MS = 10;

/** Moves `clock` on until `condition` holds, for at most `simulatedMsMax`; returns how long it took. */
export async function drive(
  clock: FakeClock,
  condition: () => boolean,
  { what, simulatedMsMax }: { readonly what: string; readonly simulatedMsMax: number },
): Promise<number> {
  const startMs = clock.monotonic();
  await turnEventLoop();
  while (!condition()) {
    const elapsedMs = clock.monotonic() - startMs;
    assert.ok(elapsedMs < simulatedMsMax, `${what}: not within ${simulatedMsMax} simulated ms`);
    await clock.run(STEP_MS);
  }
  return clock.monotonic() - startMs;
}
