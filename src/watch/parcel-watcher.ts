// The native watcher (inotify, FSEvents, ReadDirectoryChangesW) through @parcel/watcher.
//
// Its weaknesses, and who covers them: it drops the kernel's overflow event silently (burst-counter.ts), misses what is made in a directory before its watch is set (the scanner reads new directories itself), and
// fails as a whole when the watch limit is reached (fallback-watcher.ts).

import { relative, sep } from "node:path";
import type { AsyncSubscription, Event } from "@parcel/watcher";
import { DSYNC_DIRECTORY } from "../core/path.ts";
import { BurstCounter } from "./burst-counter.ts";
import { watchProblemOf } from "./watch-problem.ts";
import type { WatchHandler, Watcher } from "./watcher.ts";

export class ParcelWatcher implements Watcher {
  readonly #root: string;
  readonly #burst: BurstCounter;
  #subscription: AsyncSubscription | undefined;
  #isStopped = false;

  /** `root`: absolute, without symlinks in it. `nowMs`: milliseconds that never go back. */
  constructor(root: string, nowMs: () => number) {
    this.#root = root;
    this.#burst = new BurstCounter(nowMs);
  }

  async start(handler: WatchHandler): Promise<void> {
    // Loaded where it is needed: not on Linux.
    const { subscribe } = await import("@parcel/watcher");
    const subscription = await subscribe(
      this.#root,
      (error, events) => {
        if (this.#isStopped) return;
        if (error === null) this.#report(events, handler);
        else handler.problem(watchProblemOf(error));
      },
      { ignore: [`${this.#root}${sep}${DSYNC_DIRECTORY}`] },
    );
    if (this.#isStopped) await subscription.unsubscribe();
    else this.#subscription = subscription;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    await subscription?.unsubscribe();
  }

  #report(events: readonly Event[], handler: WatchHandler): void {
    for (const { path } of events) {
      const diskPath = toDiskPath(this.#root, path);
      if (diskPath !== undefined) handler.hint(diskPath);
    }
    if (this.#burst.add(events.length)) handler.overflow();
  }
}

/** `undefined` for the root itself, what is outside, and dsync's own directory. */
export function toDiskPath(root: string, absolute: string): string | undefined {
  const path = absolute.startsWith(`${root}/`) ? absolute.slice(root.length + 1) : relative(root, absolute);
  const diskPath = sep === "/" ? path : path.replaceAll(sep, "/");
  const first = diskPath.split("/", 1)[0];
  return first === "" || first === ".." || first === DSYNC_DIRECTORY ? undefined : diskPath;
}
