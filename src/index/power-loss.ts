// What a path that dsync itself changed holds after the machine lost power: what was written, what was there before
// (the rename never reached the disk), or damage. Pure; sync/verify-marked.ts looks at the disk and acts on it.
//
// Invariants:
// 1. What dsync wrote, or what was there before, is never taken for an edit.
// 2. A file whose time is one that dsync set, which nobody touched since, and whose content is not the one that belongs to
//    that time, is damage: whoever edits a file gives it another time, and whoever puts the old time back touches it.
// 3. Anything else is a person's, made on top of what may have been damaged: where there was a file's content, it is kept
//    beside that and replaces nothing. Whoever saved it may never have seen what the power loss took.
// 4. Content that does not belong to its time, in a file that was touched since, may be damage or a person's: it is kept
//    under a name of its own, and never under this one. A file that is longer than what was written was touched: a power
//    loss takes away, and adds nothing.
// 5. What a person saved shortly before, and was announced, may be damaged as well. That is kept beside what they saved,
//    too: others may hold that, or nobody may.

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
  readonly found: Content | "absent" | "unreadable";
  /** The file was changed in some way (ctime) after the index last saw it. */
  readonly isTouchedSince: boolean;
  /** It was changed so shortly before the power loss that what a person saved may not have reached the disk. */
  readonly isRecent: boolean;
}

export type PowerLossVerdict =
  /** As it should be, or a person's: the scanner sees to it. */
  | { readonly kind: "leave" }
  /** What is known was put in place, and only the index had not kept that: it is present. */
  | { readonly kind: "done" }
  /** The path holds what it held before: that is present, and what came after is to be done again. */
  | { readonly kind: "undone"; readonly present: Entry }
  /** What is there is no content that anybody made: it is put aside, and what is known is fetched again. */
  | { readonly kind: "damaged" }
  /** Damage that somebody touched, or a person's under the old time: it gets another name, and what is known keeps this one. */
  | { readonly kind: "doubtful" }
  /** A person's, or not to be read: it is nothing that has seen what the path held. */
  | { readonly kind: "beside" };

const DONE: PowerLossVerdict = { kind: "done" };
const LEAVE: PowerLossVerdict = { kind: "leave" };
const DAMAGED: PowerLossVerdict = { kind: "damaged" };
const DOUBTFUL: PowerLossVerdict = { kind: "doubtful" };
const BESIDE: PowerLossVerdict = { kind: "beside" };

export function judgeAfterPowerLoss(path: AfterPowerLoss): PowerLossVerdict {
  const { held, before, pending, found, isTouchedSince, isRecent } = path;
  const isMarked = before.length > 0;
  const otherwise = isMarked && held.live?.content.kind === "file" ? BESIDE : LEAVE;
  if (found === "unreadable") return otherwise;
  if (holds(held, found)) return LEAVE;
  if (pending !== undefined && holds(pending, found)) return found === "absent" ? LEAVE : DONE;
  const present = before.findLast((entry) => holds(entry, found));
  if (present !== undefined) return { kind: "undone", present };
  // Neither the old name nor the new one survived; a deletion that nobody had seen yet is asked for once more.
  if (found === "absent") return isMarked ? DAMAGED : LEAVE;
  const written = [...(isMarked ? [held, ...before] : []), ...(pending === undefined ? [] : [pending])];
  // Damage may look like a content that was there once: many files began empty.
  const damaged = written.filter((entry) => hasTimeOfOther(entry, found));
  if (damaged.length > 0) {
    const isTouched = (isMarked && isTouchedSince) || damaged.every((entry) => isShorter(entry, found));
    return isTouched ? DOUBTFUL : DAMAGED;
  }
  if (isRecent && !isTouchedSince && hasTimeOfOther(held, found)) return BESIDE;
  return isOf(held, found) || (pending !== undefined && isOf(pending, found)) ? LEAVE : otherwise;
}

function holds({ live }: Entry, found: Content | "absent"): boolean {
  if (live === undefined || found === "absent") return live === undefined && found === "absent";
  return isContentAsKept(live.content, found);
}

/** The time of that version, and not its content. */
function hasTimeOfOther(entry: Entry, found: Content): boolean {
  const content = entry.live?.content;
  if (content?.kind !== "file" || found.kind !== "file") return false;
  return isTimeAsKept(content.mtimeUs, found.mtimeUs) && !isOf(entry, found);
}

function isShorter({ live }: Entry, found: Content): boolean {
  return live?.content.kind === "file" && found.kind === "file" && live.content.size < found.size;
}

/** The content of that version, under another time or mode. */
function isOf({ live }: Entry, found: Content): boolean {
  return live?.content.kind === "file" && found.kind === "file" && live.content.contentId === found.contentId;
}
