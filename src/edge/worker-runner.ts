// Runs jobs on worker threads. A worker that is lost fails its own jobs and is replaced when the next one comes.

import { Worker } from "node:worker_threads";

import { JobQueue, type QueuedJob } from "./job-queue.ts";
import type { JobName, JobRunner, Jobs } from "./jobs.ts";
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from "./worker-messages.ts";

export interface WorkerRunnerOptions extends WorkerSettings {
  /** Threads: at least 1. With more, one of them does without long jobs (see job-queue.ts). */
  readonly workers: number;
  /** Jobs that are done on the calling thread as long as no other one has answered. */
  readonly firstJobs?: FirstJobs;
  /** What each thread runs, instead of worker.ts. */
  readonly entry?: URL;
}

export type FirstJobs = { readonly [Name in JobName]?: (request: Jobs[Name]["request"]) => Jobs[Name]["result"] };

/** The compiled entry: this string is no import, so that the compiler leaves it as it is. */
const WORKER_ENTRY = new URL("./worker.js", import.meta.url);

/**
 * Jobs make little garbage that lives: a small young generation costs no speed here and saves 30 MB a worker. The old
 * one must hold the listing of a directory with a million files.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1024 } as const;

/** A worker that has done less is hardly larger than a new one. */
const RENEW_AFTER_JOBS = 100;

/** Jobs that change the disk: stopping waits for them. The others are given up. */
const CHANGES_DISK: ReadonlySet<JobName> = new Set(["stage", "apply", "sweep", "unstage", "trash"]);

/** A runner whose threads can be replaced. */
export interface RenewableJobRunner extends JobRunner {
  /**
   * Ends threads that have nothing to do, so that what their heaps have grown to goes back to the system. One fresh
   * thread waits for the next save; the others start when they are needed.
   */
  renew(): void;
}

/**
 * Starts one thread at once, and more when there is work for them: each costs some 50 ms of CPU and 15 MB. They keep the
 * process alive only while they work.
 */
export function createWorkerRunner(options: WorkerRunnerOptions): RenewableJobRunner {
  return new WorkerRunner(options);
}

interface Job extends QueuedJob {
  readonly id: number;
  readonly request: Jobs[JobName]["request"];
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: Jobs[JobName]["result"]) => void;
  readonly reject: (error: Error) => void;
}

class WorkerRunner implements RenewableJobRunner {
  readonly #queue = new JobQueue<Job>();
  readonly #threads: readonly WorkerThread[];
  readonly #firstJobs: FirstJobs;
  #nextId = 1;
  #hasAnswered = false;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerRunnerOptions) {
    this.#firstJobs = options.firstJobs ?? {};
    this.#threads = Array.from({ length: options.workers }, () => new WorkerThread(options, () => this.#noteFree()));
    // The last one is the first to get a job.
    this.#threads.at(-1)?.prepare();
  }

  run<Name extends JobName>(
    name: Name,
    request: Jobs[Name]["request"],
    options: { readonly urgent?: boolean; readonly transfer?: readonly ArrayBuffer[] } = {},
  ): Promise<Jobs[Name]["result"]> {
    const { urgent = false, transfer = [] } = options;
    return new Promise((resolve, reject) => {
      if (this.#closing !== undefined) return reject(stopping(name));
      const doHere = this.#hasAnswered ? undefined : this.#firstJobs[name];
      if (doHere !== undefined) return resolve(doHere(request));
      this.#queue.add({ id: this.#nextId++, name, request, urgent, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  renew(): void {
    if (this.#closing !== undefined) return;
    for (const thread of this.#threads) thread.renew({ isNeeded: thread === this.#threads.at(-1) });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const job of this.#queue.takeAll()) job.reject(stopping(job.name));
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #noteFree(): void {
    this.#hasAnswered = true;
    this.#dispatch();
  }

  #dispatch(): void {
    for (;;) {
      const next = this.#queue.next(this.#threads.map((thread) => thread.jobs));
      if (next === undefined) return;
      this.#threads[next.worker]?.post(next.job);
    }
  }
}

/** One worker and its successors. */
class WorkerThread {
  /** Posted and not finished, oldest first. */
  jobs: readonly Job[] = [];
  readonly #entry: URL;
  readonly #settings: WorkerSettings;
  readonly #onFree: () => void;
  #worker: Worker | undefined;
  /** By this worker. */
  #jobsDone = 0;
  #onFinished: (() => void) | undefined;

  constructor(options: WorkerRunnerOptions, onFree: () => void) {
    this.#entry = options.entry ?? WORKER_ENTRY;
    this.#settings = { portable: options.portable };
    this.#onFree = onFree;
  }

  /** Starts it before there is a job. */
  prepare(): void {
    this.#worker ??= this.#start();
  }

  post(job: Job): void {
    this.#worker ??= this.#start();
    const { id, name, request } = job;
    try {
      this.#worker.postMessage({ id, name, request } satisfies WorkerRequest, job.transfer);
    } catch (error) {
      // Not to be cloned, or its buffers are gone already: the caller's mistake.
      job.reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.jobs = [...this.jobs, job];
    this.#worker.ref();
  }

  renew({ isNeeded }: { readonly isNeeded: boolean }): void {
    if (this.jobs.length > 0 || (isNeeded && this.#jobsDone < RENEW_AFTER_JOBS)) return;
    const old = this.#worker;
    this.#worker = isNeeded ? this.#start() : undefined;
    void old?.terminate();
  }

  /** Lets jobs that change the disk finish, then ends the thread. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onFinished = () => {
        if (!this.jobs.some((job) => CHANGES_DISK.has(job.name))) resolve();
      };
      this.#onFinished();
    });
    const given = this.jobs;
    this.jobs = [];
    for (const job of given) job.reject(stopping(job.name));
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    this.#jobsDone = 0;
    const worker = new Worker(this.#entry, {
      name: "dsync-job",
      workerData: this.#settings,
      resourceLimits: RESOURCE_LIMITS,
    });
    let failure: Error | undefined;
    worker.on("message", (answer: WorkerAnswer) => this.#finish(answer));
    worker.on("error", (error) => (failure = error));
    worker.on("exit", (code) => {
      if (this.#worker === worker) this.#lose(failure ?? new Error(`it ended with code ${code}`));
    });
    worker.unref();
    return worker;
  }

  #finish(answer: WorkerAnswer): void {
    const job = this.jobs.find(({ id }) => id === answer.id);
    if (job === undefined) return;
    this.jobs = this.jobs.filter((other) => other !== job);
    this.#jobsDone++;
    if (this.jobs.length === 0) this.#worker?.unref();
    if (answer.kind === "done") job.resolve(answer.result);
    else job.reject(answer.error);
    this.#onFinished?.();
    this.#onFree();
  }

  #lose(cause: Error): void {
    const lost = this.jobs;
    this.jobs = [];
    this.#worker = undefined;
    for (const job of lost)
      job.reject(new Error(`Lost the worker with the job "${job.name}": ${cause.message}`, { cause }));
    this.#onFinished?.();
    this.#onFree();
  }
}

function stopping(name: JobName): Error {
  return new Error(`Cannot finish the job "${name}": dsync is stopping.`);
}
