import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import { emptyRecord } from "../index/settle.ts";
import type { SweepRequest, SweepResult } from "../transfer/sweep-job.ts";
import { clearStaging, Housekeeping } from "./housekeeping.ts";

const MS_PER_HOUR = 3_600_000;
const START_MS = Date.UTC(2024, 0, 1);
const identity: RootIdentity = { root: "/f", device: 1n, inode: 2n, markerInode: 3n };
const WANTED = contentIdOf(1);

/** What was asked of the `sweep` job, which answers with `result`; any other job fails. */
function world(result: Partial<SweepResult> = {}) {
  const blake3 = loadBlake3({ portable: true });
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  store.put({
    ...emptyRecord(pathOf("wanted")),
    known: {
      seen: [[replicaIdOf(1), 1]],
      live: {
        dot: { replica: replicaIdOf(1), counter: 1 },
        stamp: 1,
        author: "there",
        content: { kind: "file", contentId: WANTED, size: 1, mode: 0o644, mtimeUs: 1 },
      },
    },
  });
  const sweeps: SweepRequest[] = [];
  const run = async (name: string, request: SweepRequest): Promise<SweepResult> => {
    if (name !== "sweep") throw new Error(`no ${name} here`);
    sweeps.push(request);
    return { staged: [], trimmed: { files: 0, bytes: 0, failed: [] }, problem: undefined, ...result };
  };
  const jobs = { run } as unknown as JobRunner;
  const warnings: string[] = [];
  const clock = new FakeClock(START_MS);
  const emit = (event: { kind: string; message?: string }): number => warnings.push(event.message ?? event.kind);
  return { options: { store, jobs, clock, identity, trashDays: 2, emit }, sweeps, warnings, clock };
}

/** How often the places of contents are gone through. */
function countCleanings(store: RecordStore): () => number {
  let cleanings = 0;
  const locations = store.locations.bind(store);
  store.locations = () => {
    cleanings++;
    return locations();
  };
  return () => cleanings;
}

test("every hour, what nobody wants goes: staging that was not written to for an hour, and old trash", async () => {
  const { options, sweeps, clock } = world();
  const housekeeping = new Housekeeping(options);
  housekeeping.start();
  await clock.run(MS_PER_HOUR - 1);
  assert.deepEqual(sweeps, []);
  await clock.run(1);
  const nowMs = START_MS + MS_PER_HOUR;
  const trashBeforeMs = nowMs - 48 * MS_PER_HOUR;
  const expected = { root: "/f", wanted: [WANTED], stagedBeforeMs: START_MS, trashBeforeMs, trimAtMs: nowMs };
  assert.deepEqual(sweeps, [expected]);
  await clock.run(MS_PER_HOUR);
  housekeeping.stop();
  await clock.run(MS_PER_HOUR);
  housekeeping.emptyOldTrash();
  assert.equal(sweeps.length, 2);
});

test("the index is cleaned once a day", async () => {
  const { options, clock, warnings } = world();
  const cleanings = countCleanings(options.store);
  const housekeeping = new Housekeeping(options);
  housekeeping.start();
  await clock.run(24 * MS_PER_HOUR);
  assert.equal(cleanings(), 1);
  await clock.run(MS_PER_HOUR);
  assert.equal(cleanings(), 2);
  housekeeping.stop();
  assert.deepEqual(warnings, []);
});

test("trash that went before its time is told; old trash alone goes without a look at staging", async () => {
  const { options, sweeps, warnings, clock } = world({ trimmed: { files: 3, bytes: 2 ** 20 + 1, failed: [] } });
  const housekeeping = new Housekeeping(options);
  housekeeping.emptyOldTrash();
  const trashBeforeMs = START_MS - 48 * MS_PER_HOUR;
  const stagedBeforeMs = Number.NEGATIVE_INFINITY;
  assert.deepEqual(sweeps, [{ root: "/f", wanted: [], stagedBeforeMs, trashBeforeMs, trimAtMs: undefined }]);
  housekeeping.start();
  await clock.run(MS_PER_HOUR);
  housekeeping.stop();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /oldest 3 files \(2 MiB\)/);
});

test("at the start, staging keeps what is still wanted, however old; what cannot be cleared is told", async () => {
  const { options, sweeps, warnings } = world({ staged: [WANTED], problem: { code: "EACCES", message: "Cannot." } });
  assert.deepEqual(await clearStaging(options), new Set([WANTED]));
  assert.deepEqual(warnings, ["Cannot."]);
  const [stagedBeforeMs, trashBeforeMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  assert.deepEqual(sweeps, [{ root: "/f", wanted: [WANTED], stagedBeforeMs, trashBeforeMs, trimAtMs: undefined }]);
});
