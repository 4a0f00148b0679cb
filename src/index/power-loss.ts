// What a path that dsync itself changed holds after the machine lost power: what was written, what was there before
// (the rename never reached the disk), or damage. Pure; sync/verify-marked.ts looks at the disk and acts on it.
//
// Invariants:
// 1. What dsync wrote, or what was there before, is never taken for an edit.
// 2. A file whose time is one that dsync set, and whose content is not the one that belongs to that time, is damage:
//    whoever edits a file gives it another time.
// 3. Anything else is a person's, and is left to the scanner.

import { isContentAsKept } from "./content.ts";
import { isTimeAsKept } from "./signature.ts";
import type { Content, Entry } from "./entry.ts";

export interface AfterPowerLoss {
  /** What the index says the path holds: its present entry. */
  readonly held: Entry;
  /** What it held before each change since the last checkpoint, the oldest first. Empty: it is not marked. */
  readonly before: readonly Entry[];
  /** What is known and pending: it may have been put in place, and only the index not have kept that. */
  readonly pending: Entry | undefined;
  readonly found: Content | "absent";
}

export type PowerLossVerdict =
  /** As it should be, or a person's: the scanner sees to it. */
  | { readonly kind: "leave" }
  /** The path holds what it held before: that is present, and what came after is to be done again. */
  | { readonly kind: "undone"; readonly present: Entry }
  /** What is there is no content that anybody made: it is put aside, and what is known is fetched again. */
  | { readonly kind: "damaged" };

const LEAVE: PowerLossVerdict = { kind: "leave" };
const DAMAGED: PowerLossVerdict = { kind: "damaged" };

export function judgeAfterPowerLoss(path: AfterPowerLoss): PowerLossVerdict {
  const { held, before, pending, found } = path;
  const isMarked = before.length > 0;
  if (holds(held, found) || (pending !== undefined && holds(pending, found))) return LEAVE;
  const present = before.findLast((entry) => holds(entry, found));
  if (present !== undefined) return { kind: "undone", present };
  // Neither the old name nor the new one survived; a deletion that nobody had seen yet is asked for once more.
  if (found === "absent") return isMarked ? DAMAGED : LEAVE;
  const written = [...(isMarked ? [held, ...before] : []), ...(pending === undefined ? [] : [pending])];
  const isDamaged = written.some((entry) => hasTimeOf(entry, found)) && !written.some((entry) => isOf(entry, found));
  return isDamaged ? DAMAGED : LEAVE;
}

function holds({ live }: Entry, found: Content | "absent"): boolean {
  if (live === undefined || found === "absent") return live === undefined && found === "absent";
  return isContentAsKept(live.content, found);
}

function hasTimeOf({ live }: Entry, found: Content): boolean {
  return live?.content.kind === "file" && found.kind === "file" && isTimeAsKept(live.content.mtimeUs, found.mtimeUs);
}

/** The content of that version, under another time or mode. */
function isOf({ live }: Entry, found: Content): boolean {
  return live?.content.kind === "file" && found.kind === "file" && live.content.contentId === found.contentId;
}
