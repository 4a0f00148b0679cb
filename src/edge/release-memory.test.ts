import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DEADLINE_MS } from "../../test/support/wait.ts";
import { releaseMemory } from "./release-memory.ts";

test(
  "releasing memory again and again neither blocks nor keeps what is unreachable",
  { timeout: DEADLINE_MS },
  async () => {
    let garbage: unknown[] | undefined = Array.from({ length: 300_000 }, (_, index) => ({ index }));
    const before = process.memoryUsage().heapUsed;
    assert.equal(garbage.length, 300_000);
    garbage = undefined;
    for (let round = 0; round < 20; round++) {
      releaseMemory();
      releaseMemory();
      // Lets it happen: it is a task of the event loop.
      await nextTurn();
    }
    assert.ok(process.memoryUsage().heapUsed < before);
  },
);
