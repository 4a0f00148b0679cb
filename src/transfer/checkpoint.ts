// Makes what was put in place durable in the background, and takes its marks away: what is marked when the machine loses
// power has to be read again, so there should be little of it.
//
// Invariants:
// 1. A mark goes only after its path is durable, and only if the path was not changed again meanwhile.
// 2. At most one job is under way, and nothing waits for it: what it does not get to stays marked, which is always right.

import {
  CHECKPOINT_BYTES,
  CHECKPOINT_DELAY_MS_MAX,
  CHECKPOINT_MANY_QUIET_MS,
  CHECKPOINT_PATHS,
  CHECKPOINT_QUIET_MS,
} from "../core/limits.ts";
import { pagesOf } from "../core/pages.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { IndexStore, Mark } from "../index/index-store.ts";

export interface CheckpointOptions {
  readonly store: Pick<IndexStore, "marks" | "unmark">;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly toDisk: (path: RelativePath) => string;
  /** A checkpoint is over, for better or worse; it may have read much of the index. */
  readonly onDone: () => void;
}

export class Checkpoint {
  readonly #options: CheckpointOptions;
  #timer: Timer | undefined;
  #isRunning = false;
  /** How often something was marked since the last checkpoint began. */
  #noted = 0;
  #notedBytes = 0;
  #isStopped = false;
  #firstMs = 0;
  #lastMs = 0;

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /**
   * Something was marked, `bytes` of content with it. A checkpoint follows when it has been quiet for a while, and
   * anyway after a longer while or many bytes.
   */
  note(bytes = 0): void {
    this.#lastMs = this.#options.clock.monotonic();
    this.#noted++;
    this.#notedBytes += bytes;
    if (this.#timer !== undefined || this.#isRunning || this.#isStopped) return;
    this.#begin();
  }

  /** What is marked stays marked. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #begin(): void {
    this.#firstMs = this.#options.clock.monotonic();
    this.#wait(CHECKPOINT_QUIET_MS);
  }

  #wait(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      const nowMs = this.#options.clock.monotonic();
      const quietMs = this.#noted > CHECKPOINT_PATHS ? CHECKPOINT_MANY_QUIET_MS : CHECKPOINT_QUIET_MS;
      const leftMs = Math.min(this.#lastMs + quietMs, this.#firstMs + CHECKPOINT_DELAY_MS_MAX) - nowMs;
      const isEnough = this.#notedBytes >= CHECKPOINT_BYTES;
      // Bytes are looked at each time that the shorter wait would end.
      if (leftMs > 0 && !isEnough) this.#wait(Math.min(leftMs, CHECKPOINT_QUIET_MS));
      else void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#noted = 0;
    this.#notedBytes = 0;
    try {
      for (const page of pagesOf(this.#options.store.marks(), CHECKPOINT_PATHS)) {
        if (this.#isStopped) break;
        await this.#flush(page);
      }
    } catch {
      // The job was lost, or dsync is stopping: the marks say what is still to be done.
    }
    this.#isRunning = false;
    if (this.#isStopped) return;
    if (this.#noted > 0) this.#begin();
    this.#options.onDone();
  }

  async #flush(marks: readonly Mark[]): Promise<void> {
    const { store, jobs, root, toDisk } = this.#options;
    const { durable } = await jobs.run("flush", { root, diskPaths: marks.map(({ path }) => toDisk(path)) });
    if (this.#isStopped) return;
    for (const [index, mark] of marks.entries()) if (durable[index] === true) store.unmark(mark.path, mark);
  }
}
