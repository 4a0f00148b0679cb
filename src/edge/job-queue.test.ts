import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { JobQueue, type QueuedJob } from "./job-queue.ts";

let nextId = 1;
const scan = (): QueuedJob => ({ id: nextId++, name: "scan", urgent: false });
const hash = (): QueuedJob => ({ id: nextId++, name: "hash", urgent: false });
const save = (): QueuedJob => ({ id: nextId++, name: "hash", urgent: true });

function queueOf(...jobs: QueuedJob[]): JobQueue<QueuedJob> {
  const queue = new JobQueue<QueuedJob>();
  for (const job of jobs) queue.add(job);
  return queue;
}

test("an urgent job overtakes everything that waits", () => {
  const [first, second, urgent] = [scan(), hash(), save()];
  const queue = queueOf(first, second, urgent);
  assert.equal(queue.next([[], []])?.job, urgent);
  assert.equal(queue.next([[], []])?.job, first);
  assert.equal(queue.next([[], []])?.job, second);
  assert.equal(queue.next([[], []]), undefined);
});

test("long jobs leave one worker free, unless there is only one; the last one is the first to be used", () => {
  const queue = queueOf(hash(), hash(), hash());
  assert.equal(queue.next([[], []])?.worker, 1);
  assert.equal(queue.next([[hash()], []]), undefined);
  assert.equal(queue.next([[], [hash()]]), undefined);
  assert.equal(queue.next([[hash()], [], []])?.worker, 2);
  assert.equal(queue.next([[]])?.worker, 0);
});

test("a short job passes a long one that has to wait", () => {
  const [long, short] = [hash(), scan()];
  const queue = queueOf(long, short);
  assert.deepEqual(queue.next([[hash()], []]), { job: short, worker: 1 });
  assert.deepEqual(queue.next([[], []]), { job: long, worker: 1 });
});

test("nothing is posted behind a long job, and two short ones at most to one worker", () => {
  const queue = queueOf(scan(), save());
  assert.equal(queue.next([[hash()]]), undefined);
  assert.equal(queue.next([[scan(), scan()], [hash()]]), undefined);
  assert.equal(queue.next([[scan(), scan()], [scan()]])?.worker, 1);
});

test("every job is given out once, and the rules hold on the way", () => {
  const step = fc.oneof(fc.constantFrom(scan, hash, save), fc.nat(7));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 200 }), (workers, steps) => {
      const queue = new JobQueue<QueuedJob>();
      const posted: QueuedJob[][] = Array.from({ length: workers }, () => []);
      const added: QueuedJob[] = [];
      const given: QueuedJob[] = [];
      const give = (): void => {
        for (let next = queue.next(posted); next !== undefined; next = queue.next(posted)) {
          given.push(next.job);
          posted[next.worker]?.push(next.job);
        }
        const isLong = (job: QueuedJob): boolean => job.name === "hash" && !job.urgent;
        for (const jobs of posted) {
          assert.ok(jobs.length <= 2);
          assert.ok(jobs.slice(0, -1).every((job) => !isLong(job)));
        }
        assert.ok(workers === 1 || posted.some((jobs) => !jobs.some(isLong)));
      };
      for (const item of steps) {
        if (typeof item === "number") {
          posted[item % workers]?.shift();
        } else {
          const job = item();
          added.push(job);
          queue.add(job);
        }
        give();
      }
      while (posted.some((jobs) => jobs.length > 0)) {
        for (const jobs of posted) jobs.shift();
        give();
      }
      assert.deepEqual(
        given.map(({ id }) => id).toSorted((a, b) => a - b),
        added.map(({ id }) => id),
      );
    }),
  );
});

test("what waits can be taken back", () => {
  const jobs = [scan(), hash(), save()];
  const queue = queueOf(...jobs);
  assert.deepEqual(new Set(queue.takeAll()), new Set(jobs));
  assert.equal(queue.next([[]]), undefined);
});
