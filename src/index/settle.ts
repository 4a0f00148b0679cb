// When known and present belong together: pure functions over records.

import { contentEqual } from "./content.ts";
import { EMPTY_ENTRY, type Entry, type PathRecord } from "./entry.ts";
import type { RelativePath } from "../core/path.ts";
import { isPending } from "./record-facts.ts";

/** The record of a path that nobody has heard of. */
export function emptyRecord(path: RelativePath): PathRecord {
  return { path, known: EMPTY_ENTRY, present: EMPTY_ENTRY, signature: undefined, residue: false };
}

/** True if the disk holds what is known. */
export function isSettled(record: PathRecord): boolean {
  return record.known === record.present || !isPending(record);
}

/**
 * The record with another known entry. If the disk holds what that says already (the same version, the same content
 * made by somebody else, or nothing where nothing should be), present follows without any work on the disk.
 */
export function withKnown(record: PathRecord, known: Entry): PathRecord {
  const { present } = record;
  const satisfied =
    known.live === undefined || present.live === undefined
      ? known.live === present.live
      : contentEqual(known.live.content, present.live.content);
  return { ...record, known, present: satisfied ? known : present };
}

/** The record after `target` was put in place; what has become known meanwhile stays known. */
export function withPresent(
  record: PathRecord,
  target: Entry,
  signature: PathRecord["signature"],
  residue = false,
): PathRecord {
  return withKnown({ ...record, present: target, signature, residue }, record.known);
}

/** Bytes of a file that are known here and not present: what has to be moved, at the most. */
export function pendingBytes(record: PathRecord): number {
  if (isSettled(record) || record.known.live?.content.kind !== "file") return 0;
  const wanted = record.known.live.content;
  const present = record.present.live?.content;
  return present?.kind === "file" && present.contentId === wanted.contentId ? 0 : wanted.size;
}
