// A watcher says where something may have happened. Its events are hints: what happened is decided by looking.

import type { Problem } from "../core/problem.ts";

/** Who hears of hints. */
export interface WatchHandler {
  /** Something may have changed at this path, relative to the folder, in the disk's spelling. */
  hint(diskPath: string): void;
  /** Hints may have been lost: only a full scan finds out what happened. */
  overflow(): void;
  /** It does not work as it should; another way is taken. */
  problem(problem: Problem): void;
}

/** Watches one folder. `.dsync/` and what is in it is never hinted at. */
export interface Watcher {
  /** True if hints come within a millisecond, and both names of what is renamed together. */
  readonly isPrompt?: boolean;
  /** Rejects if this kind of watcher cannot watch this folder. */
  start(handler: WatchHandler): Promise<void>;
  /** What is ignored changed: watches what is no longer ignored. For watchers that leave ignored directories out. */
  refresh?(): Promise<void>;
  /** A look found a directory here. For watchers that need to be told: they hint at what is in it before they return. */
  directorySeen?(diskPath: string): void;
  stop(): Promise<void>;
}
