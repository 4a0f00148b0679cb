// The worker threads of a run. A module of its own, so that they start before the rest of the program is even read.

import { availableParallelism } from "node:os";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { createWorkerRunner, type FirstJobs, type RenewableJobRunner } from "../edge/worker-runner.ts";
import { probe } from "../transfer/probe-job.ts";
import { sweep } from "../transfer/sweep-job.ts";

/** One more does not help: hashing and writing share the disk, and the main thread encrypts. */
const WORKERS_MAX = 4;

/** Opening a folder waits for these: they take some calls of the system, and a thread 0.1 s to start. */
const FIRST_JOBS: FirstJobs = {
  sweep: (request) => sweep({ fs: nodeFileSystem }, request),
  probe: (request) => probe({ fs: nodeFileSystem }, request),
};

/** `portable`: leave the native twins of libraries alone. */
export function startWorkers(portable: boolean): RenewableJobRunner {
  const workers = Math.min(Math.max(availableParallelism(), 2), WORKERS_MAX);
  return createWorkerRunner({ workers, firstJobs: FIRST_JOBS, portable });
}
