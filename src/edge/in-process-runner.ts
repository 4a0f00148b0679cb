// Runs jobs on this thread, on any file system: for simulations and tests.

import type { JobContext } from "./job-context.ts";
import { runJob } from "./job-table.ts";
import type { JobName, JobRunner, Jobs } from "./jobs.ts";

export interface InProcessRunnerOptions {
  readonly context: JobContext;
  /** Calls each action later, in a turn of its own. The default is `setImmediate`. */
  readonly schedule?: (action: () => void) => void;
}

/** A runner whose jobs run whole, one after the other, in the order that `schedule` gives them. */
export function createInProcessRunner(options: InProcessRunnerOptions): JobRunner {
  const { context, schedule = setImmediate } = options;
  const running = new Set<Promise<unknown>>();
  let closed = false;

  function run<Name extends JobName>(name: Name, request: Jobs[Name]["request"]): Promise<Jobs[Name]["result"]> {
    if (closed) return Promise.reject(new Error(`Cannot run the job "${name}": dsync is stopping.`));
    const promise = new Promise<Jobs[Name]["result"]>((resolve, reject) => {
      schedule(() => {
        try {
          resolve(runJob(context, name, request));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    running.add(promise);
    const forget = (): unknown => running.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  return {
    run,
    async close() {
      closed = true;
      await Promise.allSettled(running);
    },
  };
}
