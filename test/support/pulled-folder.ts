// A puller on the folder /f of a disk in memory, for tests of what it does when something is in its way.

import assert from "node:assert/strict";
import { createInProcessRunner } from "../../src/edge/in-process-runner.ts";
import { loadBlake3 } from "../../src/content/blake3.ts";
import { parsePeerId } from "../../src/core/ids.ts";
import { Ledger } from "../../src/index/ledger.ts";
import type { RecordStore } from "../../src/index/record-store.ts";
import { Puller, type PullerOptions } from "../../src/transfer/puller.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { createMemoryFileSystem } from "./memory-file-system.ts";
import { waitFor } from "./wait.ts";

interface PulledFolder {
  readonly disk: MemoryDisk;
  readonly store: RecordStore;
  readonly clock: FakeClock;
}

/** Problems, and another root than at the start, fail the test. `more`: what the test is about. */
export function createPuller(
  { disk, store, clock }: PulledFolder,
  more: Pick<PullerOptions, "leftIn"> & Partial<PullerOptions>,
): Puller {
  const fs = createMemoryFileSystem(disk);
  const [root, marker] = ["/f", "/f/.dsync"].map((path) => fs.lstat(path));
  assert.ok(root !== undefined && marker !== undefined);
  return new Puller({
    ownId: parsePeerId("00".repeat(32)) ?? assert.fail(),
    ledger: new Ledger(store),
    jobs: createInProcessRunner({ context: { fs, blake3: loadBlake3({ portable: false }) } }),
    clock,
    identity: { root: "/f", device: root.device, inode: root.inode, markerInode: marker.inode },
    toDisk: (path) => path,
    isIgnored: () => false,
    trashBatch: () => undefined,
    staged: new Set(),
    isScanning: () => false,
    isComparing: () => false,
    onMarked: () => {},
    onSettled: () => {},
    onChangedOnDisk: () => {},
    onRepair: () => assert.fail("nothing to repair"),
    onRepaired: () => {},
    onProblem: (path, problem) => assert.fail(`${path}: ${problem.message}`),
    onSolved: () => {},
    onRootChanged: () => assert.fail("the same root"),
    onHalt: () => {},
    ...more,
  });
}

/** Lets the puller work, and time pass, until `condition` holds; then stops it. */
export async function pullUntil(
  puller: Puller,
  clock: FakeClock,
  condition: () => boolean,
  until: string,
): Promise<void> {
  puller.start();
  await waitFor(
    () => {
      clock.advance(50);
      return condition();
    },
    { until, intervalMs: 1 },
  );
  await puller.stop();
}
