// Has operations done on the disk, some at a time, and hands on what came of them.
//
// Invariant: what is put in place is known to the index before, and committed. After a crash, what it has not heard of
// would pass for a person's.

import { APPLY_OPERATIONS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { ApplyOutcome } from "./apply-operation.ts";
import type { Work } from "./work.ts";

export interface ApplyRunnerOptions {
  readonly store: Pick<IndexStore, "committed">;
  readonly jobs: JobRunner;
  readonly identity: RootIdentity;
  /** Name of the trash batch to use now; `undefined`: no trash is kept. */
  readonly trashBatch: () => string | undefined;
  /** One outcome for each, in order. They are under way until this resolves. */
  readonly onOutcomes: (works: readonly Work[], outcomes: readonly ApplyOutcome[]) => Promise<void>;
  /** Nothing was done, since the index cannot be committed now. */
  readonly onPutOff: (works: readonly Work[]) => void;
  /** Not the folder that it was: nothing was done. */
  readonly onRootChanged: () => void;
  /** A job is over, for better or worse. */
  readonly onDone: () => void;
}

/** So few are not to wait behind others: a person may be waiting for them. */
const URGENT_OPERATIONS_MAX = 8;

export class ApplyRunner {
  readonly #options: ApplyRunnerOptions;
  readonly #underWay = new Map<RelativePath, Promise<void>>();
  #jobId = 0;
  #jobsRunning = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: ApplyRunnerOptions) {
    this.#options = options;
  }

  /** True if no job runs. */
  get isIdle(): boolean {
    return this.#jobsRunning === 0;
  }

  /** What is changing this path on the disk now, if anything: resolves when the outcome has been handed on. */
  underWayAt(path: RelativePath): Promise<void> | undefined {
    return this.#underWay.get(path);
  }

  /** Resolves when all of it is done. `inOrder`: one job begins when the one before is over. */
  async run(works: readonly Work[], { inOrder = false } = {}): Promise<void> {
    const runs: Promise<void>[] = [];
    for (let start = 0; start < works.length; start += APPLY_OPERATIONS_MAX) {
      const run = this.#run(works.slice(start, start + APPLY_OPERATIONS_MAX));
      if (inOrder) await run;
      else runs.push(run);
    }
    await Promise.all(runs);
  }

  /** Resolves when no job runs any more. To be called once, while one does. */
  untilIdle(): Promise<void> {
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  async #run(works: readonly Work[]): Promise<void> {
    const run = this.#apply(works);
    for (const { path } of works) this.#underWay.set(path, run);
    try {
      await run;
    } finally {
      for (const { path } of works) if (this.#underWay.get(path) === run) this.#underWay.delete(path);
    }
  }

  async #apply(works: readonly Work[]): Promise<void> {
    const { jobs, identity, trashBatch, onOutcomes, onPutOff, onRootChanged, onDone } = this.#options;
    this.#jobsRunning++;
    try {
      if (!(await this.#isCommitted())) return onPutOff(works);
      const result = await jobs.run(
        "apply",
        {
          identity,
          trashBatch: trashBatch(),
          jobId: this.#jobId++,
          operations: works.map((work) => work.operation),
        },
        { urgent: works.length <= URGENT_OPERATIONS_MAX },
      );
      if (result.kind === "root-changed") onRootChanged();
      else await onOutcomes(works, result.outcomes);
    } finally {
      this.#jobsRunning--;
      if (this.#jobsRunning === 0) this.#onIdle?.();
      onDone();
    }
  }

  /** False if what is known cannot be written now. */
  #isCommitted(): Promise<boolean> {
    return this.#options.store.committed().then(
      () => true,
      () => false,
    );
  }
}
