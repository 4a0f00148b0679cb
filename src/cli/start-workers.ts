// The worker threads of a run. A module of its own, so that they start before the rest of the program is even read.

import { availableParallelism } from "node:os";
import { createWorkerRunner, type RenewableJobRunner } from "../edge/worker-runner.ts";

/** One more does not help: hashing and writing share the disk, and the main thread encrypts. */
const WORKERS_MAX = 4;

/** `portable`: leave the native twins of libraries alone. */
export function startWorkers(portable: boolean): RenewableJobRunner {
  return createWorkerRunner({ workers: Math.min(Math.max(availableParallelism(), 2), WORKERS_MAX), portable });
}
