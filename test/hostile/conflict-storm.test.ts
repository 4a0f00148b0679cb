// A peer sends thousands of versions of one path, each concurrent with all others, and all wanting one conflict path.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContentHash } from "../../src/core/ids.ts";
import { announcement } from "../support/hostile-entries.ts";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const VERSIONS = 6_000;
const STAMP = 1_700_000_000_000;
const BATCH = 1_000;
const MIB = 1024 * 1024;
/** An index entry with its queues is a few kilobytes; the work must not pile up as well. */
const GROWTH_BYTES_MAX = 200 * MIB;

test("thousands of versions of one path under one conflict name are taken in time", async (t) => {
  const victim = await startVictim(t);
  const before = victim.memoryBytes();
  const peer = await HostilePeer.join(victim.port);
  for (let first = 0; first < VERSIONS; first += BATCH) {
    peer.announce(
      Array.from({ length: BATCH }, (_, index) => {
        const number = first + index;
        const contentId = `abcd${number.toString(16).padStart(60, "0")}` as ContentHash;
        const content = { kind: "file", contentId, size: 100_000_000, mode: 0o644, mtimeUs: 0 } as const;
        return announcement("storm.txt", content, { replica: number, counter: STAMP, stamp: STAMP + (number % 1000) });
      }),
    );
  }
  const { machine } = victim;
  const isDone = async (): Promise<boolean> => (await machine.instance.status()).conflicts >= VERSIONS - 1;
  await waitFor(isDone, { until: "all conflict copies", intervalMs: 200 });
  assert.equal(peer.close, undefined, "it is legal");
  const growth = victim.memoryBytes() - before;
  assert.ok(growth < GROWTH_BYTES_MAX, `${growth / MIB} MiB more`);
  await victim.assertUnharmed();
});
