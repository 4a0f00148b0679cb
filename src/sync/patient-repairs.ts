// How long repairs wait. A directory that gave way and has something live in it here is either in use (somebody edited in
// it while somebody else deleted it) or a change of which the rest is still to arrive: what a peer hears in a comparison
// it passes on as it comes, and a peer may vanish in the middle of telling. Bringing it back would undo that change for
// everybody. Whoever lacks the directory brings it back soon, for what is to be put into it; who has it can wait for that.

import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import type { PathRecord } from "../index/entry.ts";
import { DelayQueue } from "../watch/delay-queue.ts";

/** For who has the directory. Peers that a network lost for a moment, or that are started anew, are back by then. */
export const REPAIR_PATIENCE_MS = 600_000;
/** Longer than most comparisons take, and short for a person whose edit met a deletion. */
export const REPAIR_DELAY_MS = 2_000;
/** Paths that wait; what finds no room does not wait. */
const WAITING_PATHS_MAX = 10_000;

export class PatientRepairs {
  readonly #waiting: DelayQueue<RelativePath, undefined>;
  /** Those that have waited long enough, and are not repaired yet. */
  readonly #over = new Set<RelativePath>();

  /** `onDue`: whoever wants the repair of this path may ask again. */
  constructor({ clock, onDue }: { readonly clock: Clock; readonly onDue: (path: RelativePath) => void }) {
    this.#waiting = new DelayQueue({
      clock,
      sizeMax: WAITING_PATHS_MAX,
      onDue: (due) => {
        for (const [path] of due) this.#over.add(path);
        for (const [path] of due) onDue(path);
      },
    });
  }

  /** False if the repair of the path is to be asked for again when it is due. True once: the next one waits as long. */
  mayRepair(path: RelativePath, record: PathRecord | undefined): boolean {
    if (this.#over.delete(path)) return true;
    return !this.#waiting.put(path, isStillThere(record) ? REPAIR_PATIENCE_MS : REPAIR_DELAY_MS, undefined);
  }

  /** The path needs no repair any more: what it may need later waits from then on. */
  forget(path: RelativePath): void {
    this.#waiting.delete(path);
    this.#over.delete(path);
  }

  stop(): void {
    this.#waiting.clear();
  }
}

/** What is in it is there, and what is to come is put into it. What is to take its place waits. */
function isStillThere(record: PathRecord | undefined): boolean {
  return record?.known.live?.content.kind !== "directory" && record?.present.live?.content.kind === "directory";
}
