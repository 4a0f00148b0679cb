// Which job goes to which worker next. Pure: it knows nothing of threads.
//
// 1. Urgent jobs go first.
// 2. Nothing is posted behind a long job, since it may hash a disk image for a minute.
// 3. Long jobs never hold every worker: one does without, so that a person's save passes.

import type { JobName } from "./jobs.ts";

/** Jobs posted to one worker: the one it does, and the next, so that it need not wait for the main thread. */
const POSTED_PER_WORKER_MAX = 2;

/** A job, as far as its place in the queue matters. */
export interface QueuedJob {
  /** Grows from job to job. */
  readonly id: number;
  readonly name: JobName;
  readonly urgent: boolean;
}

/** Jobs whose time depends on the size of files, or on how many there are, that no request bounds; or on a slow disk. */
const LONG: ReadonlySet<JobName> = new Set(["hash", "flush", "sweep", "trash"]);

function isLong(job: QueuedJob): boolean {
  return LONG.has(job.name) && !job.urgent;
}

/** Jobs that wait. Bounded by its users: each has its window of jobs under way. */
export class JobQueue<Job extends QueuedJob> {
  readonly #urgent: Job[] = [];
  readonly #short: Job[] = [];
  readonly #long: Job[] = [];

  add(job: Job): void {
    if (job.urgent) this.#urgent.push(job);
    else if (isLong(job)) this.#long.push(job);
    else this.#short.push(job);
  }

  /**
   * Takes the next job that one of the workers may get, with the index of that worker. `posted`: for each worker, what
   * it has been given and has not finished.
   */
  next(posted: readonly (readonly Job[])[]): { readonly job: Job; readonly worker: number } | undefined {
    const older = (this.#short[0]?.id ?? Infinity) < (this.#long[0]?.id ?? Infinity) ? this.#short : this.#long;
    const newer = older === this.#short ? this.#long : this.#short;
    for (const waiting of [this.#urgent, older, newer]) {
      const [job] = waiting;
      const worker = job === undefined ? undefined : chooseWorker(job, posted);
      if (job === undefined || worker === undefined) continue;
      waiting.shift();
      return { job, worker };
    }
    return undefined;
  }

  /** Empties the queue. */
  takeAll(): Job[] {
    return [this.#urgent, this.#short, this.#long].flatMap((waiting) => waiting.splice(0));
  }
}

function chooseWorker(job: QueuedJob, posted: readonly (readonly QueuedJob[])[]): number | undefined {
  const withoutLong = posted.filter((jobs) => !jobs.some(isLong)).length;
  if (isLong(job) && posted.length > 1 && withoutLong === 1) return undefined;
  let best: number | undefined;
  let fewest = POSTED_PER_WORKER_MAX;
  // From the last one, which is started first.
  for (let worker = posted.length - 1; worker >= 0; worker--) {
    const jobs = posted[worker] ?? [];
    if (jobs.length >= fewest || jobs.some(isLong)) continue;
    best = worker;
    fewest = jobs.length;
  }
  return best;
}
