import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { blake3 } from "@noble/hashes/blake3.js";
import { FakeClock, turnEventLoop } from "../../test/support/fake-clock.ts";
import { pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import {
  CHECKPOINT_BYTES,
  CHECKPOINT_DELAY_MS_MAX,
  CHECKPOINT_MANY_QUIET_MS,
  CHECKPOINT_PATHS,
  CHECKPOINT_QUIET_MS,
} from "../core/limits.ts";
import type { JobRunner } from "../edge/jobs.ts";
import { EMPTY_ENTRY, type Entry } from "../index/entry.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import type { RecordStore } from "../index/record-store.ts";
import { emptyRecord } from "../index/settle.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { FlushRequest, FlushResult } from "./flush-job.ts";

let clock: FakeClock;
let store: RecordStore;
/** What each flush was asked for. */
let flushes: (readonly string[])[];
/** Answers a flush; by default everything is durable at once. */
let answer: (request: FlushRequest) => Promise<FlushResult>;
let checkpoint: Checkpoint;
/** Checkpoints that are over. */
let done: number;

beforeEach(() => {
  clock = new FakeClock();
  store = createMemoryStore({ replicaId: replicaIdOf(0), hash: blake3 });
  flushes = [];
  done = 0;
  answer = async ({ diskPaths }) => ({ durable: diskPaths.map(() => true) });
  const jobs = {
    run: (_name: string, request: FlushRequest): Promise<FlushResult> => {
      flushes.push(request.diskPaths);
      return answer(request);
    },
    close: () => Promise.resolve(),
  } as unknown as JobRunner;
  checkpoint = new Checkpoint({ store, jobs, clock, root: "/folder", toDisk: (path) => path, onDone: () => done++ });
});

function mark(path: string, before: Entry = EMPTY_ENTRY): void {
  putMark(path, before);
  checkpoint.note();
}

function putMark(path: string, before: Entry): void {
  store.put(emptyRecord(pathOf(path)));
  store.mark(pathOf(path), before);
}

const sorted = (paths: readonly string[] = []): string[] => paths.toSorted((a, b) => (a < b ? -1 : 1));
const marked = (): string[] => sorted([...store.marks()].map(({ path }) => path));

test("what was put in place is made durable when it has been quiet for a while", async () => {
  mark("a");
  await clock.run(CHECKPOINT_QUIET_MS - 1);
  mark("b");
  await clock.run(CHECKPOINT_QUIET_MS - 1);
  assert.deepEqual(flushes, []);
  await clock.run(2);
  assert.deepEqual(sorted(flushes.flat()), ["a", "b"]);
  assert.deepEqual(marked(), []);
  assert.equal(clock.pendingTimers, 0, "nothing is left to do");
  assert.equal(done, 1);
});

test("it is not put off for ever", async () => {
  for (let passedMs = 0; passedMs < CHECKPOINT_DELAY_MS_MAX; passedMs += 1_000) {
    mark("a");
    await clock.run(1_000);
  }
  await clock.run(0);
  assert.equal(flushes.length, 1);
});

test("large content is not put off while more comes in", async () => {
  for (const name of ["a", "b", "c", "d"]) {
    putMark(name, EMPTY_ENTRY);
    checkpoint.note(CHECKPOINT_BYTES / 3);
    await clock.run(1_000);
  }
  await clock.run(CHECKPOINT_QUIET_MS - 4_000);
  assert.deepEqual(sorted(flushes.flat()), ["a", "b", "c"]);
});

test("what was changed again meanwhile stays marked, and so does what failed", async () => {
  let finish: (result: FlushResult) => void = () => {};
  answer = () => new Promise((resolve) => (finish = resolve));
  for (const path of ["a", "b", "c"]) mark(path);
  await clock.run(CHECKPOINT_QUIET_MS);
  const [asked = []] = flushes;
  mark("b", { seen: [[replicaIdOf(0), 1]], live: undefined });
  finish({ durable: asked.map((path) => path !== "c") });
  await turnEventLoop();
  assert.deepEqual(marked(), ["b", "c"]);
  await clock.run(CHECKPOINT_QUIET_MS);
  assert.deepEqual(sorted(flushes[1]), ["b", "c"]);
});

test("many paths are many small jobs, one after the other", async () => {
  for (let index = 0; index < 3 * CHECKPOINT_PATHS; index++) mark(`d${index % 7}/f${index}`);
  await clock.run(CHECKPOINT_MANY_QUIET_MS - 1);
  assert.equal(flushes.length, 0, "the system writes them by itself first");
  await clock.run(1);
  assert.equal(flushes.length, 3);
  assert.equal(new Set(flushes.flat()).size, 3 * CHECKPOINT_PATHS);
  assert.deepEqual(marked(), []);
});

test("after a stop nothing is asked for, and a lost job leaves the marks", async () => {
  answer = () => Promise.reject(new Error("lost"));
  mark("a");
  await clock.run(CHECKPOINT_QUIET_MS);
  assert.deepEqual(marked(), ["a"]);
  mark("b");
  checkpoint.stop();
  await clock.run(CHECKPOINT_DELAY_MS_MAX);
  assert.equal(flushes.length, 1);
  assert.deepEqual(marked(), ["a", "b"]);
});
