import assert from "node:assert/strict";
import { after, test } from "node:test";

import { FakeClock } from "../../test/support/fake-clock.ts";
import { incompressible, removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { HASH_PART_BYTES, HASH_PART_MS_MAX, LARGE_FILE_QUIET_MS } from "../core/limits.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { hashPart, type HashPartRequest } from "../content/hash-part-job.ts";
import type { StatSignature } from "../index/entry.ts";
import { signatureOf } from "../index/signature.ts";
import { hashLargeFile } from "./hash-large.ts";

const blake3 = loadBlake3({ portable: false });
const root = temporaryDirectory();
after(() => removeDirectory(root));

function signatureAt(file: string): StatSignature {
  return signatureOf(nodeFileSystem.lstat(`${root}/${file}`) ?? assert.fail()) ?? assert.fail();
}

/** A disk that takes `partMs` for each part; how many were read at once at the most, and what was asked for last. */
function disk(clock: FakeClock, partMs: number) {
  const seen = { most: 0, last: undefined as HashPartRequest | undefined };
  let running = 0;
  const run = async (_: string, request: HashPartRequest): Promise<unknown> => {
    seen.most = Math.max(seen.most, ++running);
    seen.last = request;
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(partMs);
    running--;
    return hashPart(nodeFileSystem, blake3, request);
  };
  return { jobs: { run } as unknown as JobRunner, seen };
}

for (const [what, partMs, most] of [
  ["fast", HASH_PART_MS_MAX, 2],
  ["slow", HASH_PART_MS_MAX + 1, 1],
] as const) {
  test(`on a ${what} disk there are ${most} parts at a time`, async () => {
    writeFiles(root, { file: incompressible(4 * HASH_PART_BYTES, 1) });
    const signature = signatureAt("file");
    const clock = new FakeClock(Date.now() + 60_000);
    const { jobs, seen } = disk(clock, partMs);
    const context = { jobs, nowMs: () => clock.now(), pause: () => assert.fail("it is quiet") };
    const outcome = await hashLargeFile(
      context,
      { root, file: "file", signature, known: undefined },
      { urgent: false },
    );
    assert.deepEqual([outcome.kind, seen.most], ["hashed", most]);
  });
}

test("what is read before it is quiet is looked at once more, and is unsettled if it was written to", async () => {
  for (const isWritten of [false, true]) {
    writeFiles(root, { file: incompressible(HASH_PART_BYTES, 2) });
    const signature = signatureAt("file");
    const clock = new FakeClock(Number(signature.ctimeNs / 1_000_000n) + 1);
    const { jobs, seen } = disk(clock, 1);
    const pauses: number[] = [];
    const pause = async (delayMs: number): Promise<void> => {
      pauses.push(delayMs);
      if (isWritten) writeFiles(root, { file: "other" });
    };
    const context = { jobs, nowMs: () => clock.now(), pause };
    const outcome = await hashLargeFile(
      context,
      { root, file: "file", signature, known: undefined },
      { urgent: false },
    );
    assert.equal(outcome.kind, isWritten ? "unsettled" : "hashed");
    assert.ok(pauses.length === 1 && (pauses[0] ?? 0) > 0 && (pauses[0] ?? 0) < LARGE_FILE_QUIET_MS, pauses.join());
    assert.equal(seen.last?.from, HASH_PART_BYTES);
  }
});
