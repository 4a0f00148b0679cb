// Which repairs can wait, and how long. A directory that is to go, is still on this disk and has something live in it is
// either in use (somebody edited in it while somebody else deleted it) or half deleted: a peer vanished in the middle of
// telling. Bringing it back would undo that deletion for everybody. Whoever lacks the directory cannot wait, and brings it
// back at once; here nothing waits for it.

import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import type { PathRecord } from "../index/entry.ts";
import { DelayQueue } from "../watch/delay-queue.ts";

/** Peers that a network lost for a moment, or that are started anew, are back by then. */
export const REPAIR_PATIENCE_MS = 600_000;
/** Directories that wait; what finds no room does not wait. */
const PATIENT_PATHS_MAX = 10_000;

export class PatientRepairs {
  readonly #waiting: DelayQueue<RelativePath, undefined>;
  /** Those that have just waited long enough. */
  #over: ReadonlySet<RelativePath> = new Set();

  /** `onDue`: whoever wants the repair of this path may ask again. */
  constructor({ clock, onDue }: { readonly clock: Clock; readonly onDue: (path: RelativePath) => void }) {
    this.#waiting = new DelayQueue({
      clock,
      sizeMax: PATIENT_PATHS_MAX,
      onDue: (due) => {
        const paths = due.map(([path]) => path);
        this.#over = new Set(paths);
        for (const path of paths) onDue(path);
      },
    });
  }

  /** False if the repair of the path can wait, and is to be asked for again when it is due. */
  mayRepair(path: RelativePath, record: PathRecord | undefined): boolean {
    if (!isStillThere(record) || this.#over.has(path)) return true;
    return !this.#waiting.put(path, REPAIR_PATIENCE_MS, undefined);
  }

  stop(): void {
    this.#waiting.clear();
  }
}

/** A file or symlink that is to take a directory's place waits for the repair, so only what is to go counts. */
function isStillThere(record: PathRecord | undefined): boolean {
  return record?.known.live === undefined && record?.present.live?.content.kind === "directory";
}
