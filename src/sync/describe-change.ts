// A change of a record in the words of the log. Pure.

import type { DsyncEvent } from "../core/events.ts";
import type { PathRecord } from "../index/entry.ts";

/** What happened to the known entry, or `undefined` if nothing that a person would call a change. */
export function describeChange(
  previous: PathRecord,
  next: PathRecord,
  { isLocal, ownName }: { readonly isLocal: boolean; readonly ownName: string },
): DsyncEvent | undefined {
  const before = previous.known.live;
  const after = next.known.live;
  const { path } = next;
  if (after === undefined) {
    // A tombstone does not say who made it.
    return before === undefined
      ? undefined
      : { kind: "changed", path, change: "deleted", by: isLocal ? ownName : "a peer", isLocal };
  }
  if (before?.dot.replica === after.dot.replica && before.dot.counter === after.dot.counter) return undefined;
  return { kind: "changed", path, change: before === undefined ? "added" : "edited", by: after.author, isLocal };
}
