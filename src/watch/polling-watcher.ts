// Watches by looking again and again, through chokidar: for network file systems, and wherever native events fail.

import { lstat } from "node:fs/promises";
import type { FSWatcher } from "chokidar";
import { messageOf } from "../core/errors.ts";
import { POLL_INTERVAL_MS, POLLS_PER_SCAN } from "../core/limits.ts";
import { toDiskPath } from "./parcel-watcher.ts";
import type { WatchHandler, Watcher } from "./watcher.ts";

/** libuv's usual number of threads: at most this many stats overtake one another. */
const STATS_AT_ONCE_MAX = 4;

export class PollingWatcher implements Watcher {
  readonly #root: string;
  readonly #isIgnored: (diskPath: string) => boolean;
  readonly #intervalMs: number;
  #watcher: FSWatcher | undefined;
  #isStopped = false;
  #scans: NodeJS.Timeout | undefined;

  /** `root`: absolute, without symlinks in it. What `isIgnored` says yes to, whether file or directory, is not polled. */
  constructor(root: string, isIgnored: (diskPath: string) => boolean, intervalMs = POLL_INTERVAL_MS) {
    this.#root = root;
    this.#isIgnored = isIgnored;
    this.#intervalMs = intervalMs;
  }

  async start(handler: WatchHandler): Promise<void> {
    // Loaded where it is needed: most folders are never polled.
    const { watch } = await import("chokidar");
    if (this.#isStopped) return;
    const watcher = watch(this.#root, {
      usePolling: true,
      interval: this.#intervalMs,
      binaryInterval: this.#intervalMs,
      followSymlinks: false,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      ignored: (path) => path !== this.#root && this.#isLeftOut(path),
    });
    this.#watcher = watcher;
    watcher.on("all", (_event, path) => {
      const diskPath = toDiskPath(this.#root, path);
      if (diskPath !== undefined) handler.hint(diskPath);
    });
    watcher.on("error", (error) => handler.problem({ code: "EWATCH", message: messageOf(error) }));
    await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
    await this.#firstStats();
    if (this.#isStopped) return;
    this.#scans = setInterval(() => handler.overflow(), this.#intervalMs * POLLS_PER_SCAN);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#scans);
    await this.#watcher?.close();
  }

  /**
   * What chokidar watches it compares with a first stat, which it has asked for by now, but not waited for: a change
   * that comes before that stat would never be noticed. Stats are carried out in order, so one more per thread says when
   * the others are done.
   */
  async #firstStats(): Promise<void> {
    for (let i = 0; i < STATS_AT_ONCE_MAX; i++) await lstat(this.#root).catch(() => {});
  }

  #isLeftOut(path: string): boolean {
    const diskPath = toDiskPath(this.#root, path);
    return diskPath === undefined || this.#isIgnored(diskPath);
  }
}
