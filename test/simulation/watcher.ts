// File events of a simulated disk, with the weaknesses of real ones: late, doubled, lost, out of order, and silent about
// what happens in a directory that is too young to be watched.

import type { WatchHandler, Watcher } from "../../src/watch/watcher.ts";
import type { Prng } from "../support/seeded.ts";
import type { DiskChange } from "../support/memory-disk.ts";
import type { Scheduler } from "./scheduler.ts";

/** Out of a thousand events each. */
export interface WatcherFaults {
  readonly dropped: number;
  readonly doubled: number;
  readonly late: number;
  /** The event, and all that come for a while, are lost, and an overflow is told of. */
  readonly overflowing: number;
}

export const RELIABLE_WATCHER: WatcherFaults = { dropped: 0, doubled: 0, late: 0, overflowing: 0 };

/** A real watcher sets the watch of a new directory so much later. */
const WATCH_DELAY_MS = 10;
const USUAL_DELAY_MS_MAX = 60;
const LATE_MS_MAX = 30_000;
const OVERFLOW_MS = 50;

export interface SimulatedWatcherOptions {
  readonly root: string;
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly faults: WatcherFaults;
}

export class SimulatedWatcher implements Watcher {
  readonly #options: SimulatedWatcherOptions;
  readonly #bornMs = new Map<string, number>();
  #handler: WatchHandler | undefined;
  #isOverflowing = false;

  constructor(options: SimulatedWatcherOptions) {
    this.#options = options;
  }

  /** So it says, and is not: nothing may be lost where a watcher is wrong about itself. */
  get isPrompt(): boolean {
    return this.#options.faults === RELIABLE_WATCHER;
  }

  start(handler: WatchHandler): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#handler = undefined;
    return Promise.resolve();
  }

  /** The disk changed. `realPath`: absolute. */
  note(change: DiskChange, realPath: string): void {
    const { root, scheduler, random, faults } = this.#options;
    if (this.#handler === undefined || !realPath.startsWith(`${root}/`)) return;
    const diskPath = realPath.slice(root.length + 1);
    if (diskPath === ".dsync" || diskPath.startsWith(".dsync/")) return;
    const bornMs = this.#bornMs.get(diskPath.slice(0, Math.max(0, diskPath.lastIndexOf("/"))));
    if (change === "created") this.#bornMs.set(diskPath, scheduler.nowMs);
    if (bornMs !== undefined && scheduler.nowMs - bornMs < WATCH_DELAY_MS) return;
    if (this.#isOverflowing || random.below(1000) < faults.dropped) return;
    if (faults.overflowing > 0 && random.below(1000) < faults.overflowing) return this.#overflow();
    const delayMsMax = random.below(1000) < faults.late ? LATE_MS_MAX : USUAL_DELAY_MS_MAX;
    const times = random.below(1000) < faults.doubled ? 2 : 1;
    for (let time = 0; time < times; time++) {
      scheduler.after((delayMsMax * random.below(1000)) / 1000, () => this.#handler?.hint(diskPath));
    }
  }

  #overflow(): void {
    this.#isOverflowing = true;
    this.#options.scheduler.after(OVERFLOW_MS, () => {
      this.#isOverflowing = false;
      this.#handler?.overflow();
    });
  }
}
