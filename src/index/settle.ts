// When known and present belong together: pure functions over records.

import { parseConflictPath } from "./conflict-path.ts";
import { contentEqual } from "./content.ts";
import { EMPTY_ENTRY, type Entry, type PathRecord } from "./entry.ts";
import { sameLive } from "./merge.ts";
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
 *
 * A conflict copy is put in place even over its own content, which looks at the disk first: a person may have moved that
 * content to where it lost just now. What is here instead was not seen yet, and must not pass for made on top of the copy.
 */
export function withKnown(record: PathRecord, known: Entry): PathRecord {
  const { path, present } = record;
  const isHeld = sameLive(known, present) || (hasEqualContent(known, present) && parseConflictPath(path) === undefined);
  return { ...record, known, present: isHeld ? known : present };
}

function hasEqualContent({ live: a }: Entry, { live: b }: Entry): boolean {
  return a !== undefined && b !== undefined && contentEqual(a.content, b.content);
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
