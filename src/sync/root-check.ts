// Makes sure, every few seconds, that the folder is the one that it was: a disk that is unmounted raises no event.

import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";

export interface RootCheckOptions {
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
  /** It is another one, or gone. Nothing is checked any more. */
  readonly onRootChanged: () => void;
}

/** Two calls of the system each time. */
const ROOT_CHECK_INTERVAL_MS = 2_000;

export class RootCheck {
  readonly #options: RootCheckOptions;
  #isStopped = false;

  constructor(options: RootCheckOptions) {
    this.#options = options;
  }

  /** The first look is after a while. */
  start(): void {
    const { jobs, clock, identity, onRootChanged } = this.#options;
    clock.after(ROOT_CHECK_INTERVAL_MS, () => {
      if (this.#isStopped) return;
      const look = jobs.run("look", { identity, paths: [] }).then(({ kind }) => kind === "root-changed");
      // A look that is lost says nothing.
      void look.catch(() => false).then((isChanged) => (isChanged ? onRootChanged() : this.start()));
    });
  }

  stop(): void {
    this.#isStopped = true;
  }
}
