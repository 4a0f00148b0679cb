// What this very run made, to be defended against a twin: another machine with the same replica ID (a cloned disk), or
// what this replica itself did before its folder was put back from a backup. Their changes look as if they had seen
// ours: counters only grow. No I/O; fed with every dot that is handed out.
//
// Why only this run: of its own dots it knows for certain that whoever has a later one of that replica at the same path
// did not build on them, since that change would be ours and known here. Of what the index remembers from earlier runs
// nothing of the kind is certain: the index itself may be what was put back.

import type { ReplicaId } from "../core/ids.ts";
import type { RelativePath } from "../core/path.ts";
import { sameContent } from "./content.ts";
import type { Dot, Entry, PathEntry } from "./entry.ts";
import { conflictEntry, dotsEqual } from "./merge.ts";
import { counterOf } from "./version-vector.ts";

export interface Overtaking {
  readonly path: RelativePath;
  /** What was known here. */
  readonly known: Entry;
  /** What was heard. */
  readonly heard: Entry;
  /** What is known now. */
  readonly merged: Entry;
}

export class OwnDots {
  /** The first counter of this run, by the replica ID that this was then. */
  readonly #first = new Map<ReplicaId, number>();

  /** A dot was handed out. */
  note({ replica, counter }: Dot): void {
    if (!this.#first.has(replica)) this.#first.set(replica, counter);
  }

  /** The conflict copy of our version that `heard` wrongly claims to have seen; `undefined` if it claims no such thing. */
  defend({ path, known, heard, merged }: Overtaking): PathEntry | undefined {
    const { live } = known;
    if (live === undefined || live.content.kind === "directory" || !this.#isOwn(live.dot)) return undefined;
    if (merged.live !== undefined && dotsEqual(merged.live.dot, live.dot)) return undefined;
    const { replica } = live.dot;
    if (counterOf(heard.seen, replica) <= counterOf(known.seen, replica)) return undefined;
    const isKept = merged.live !== undefined && sameContent(merged.live.content, live.content);
    return isKept ? undefined : conflictEntry(path, live);
  }

  #isOwn({ replica, counter }: Dot): boolean {
    const first = this.#first.get(replica);
    return first !== undefined && counter >= first;
  }
}
