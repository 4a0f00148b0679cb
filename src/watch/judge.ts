// What a look at a path means, held against the index. Pure.

import {
  HASHED_PER_MS_BYTES_MAX,
  LARGE_FILE_BYTES,
  LARGE_FILE_PAUSE_MS,
  LARGE_FILE_QUIET_MS,
  RACY_COARSE_MS,
  RACY_MS,
} from "../core/limits.ts";
import type { Problem } from "../core/problem.ts";
import { contentEqual } from "../index/content.ts";
import type { Content, PathRecord, StatSignature } from "../index/entry.ts";
import { isCoarse, isTimeAsKept, mtimeUsOf, signaturesEqual } from "../index/signature.ts";
import type { Observation } from "./observation.ts";
import type { ScannedChild } from "./scan-job.ts";

export type Judgement =
  /** As the index says. */
  | { readonly kind: "same" }
  | { readonly kind: "problem"; readonly problem: Problem }
  /** Nothing is there, the index has something. */
  | { readonly kind: "gone" }
  | { readonly kind: "residue-gone" }
  /** A directory or symlink under another signature: that is all there is to know of it. */
  | { readonly kind: "entry"; readonly content: Content; readonly signature: StatSignature }
  /** A file under another signature: its content is to be read. */
  | { readonly kind: "file"; readonly signature: StatSignature };

const SAME: Judgement = { kind: "same" };

/** `child`: what is on the disk. `isRacy`: an equal signature proves nothing this time. */
export function judge(child: ScannedChild | undefined, record: PathRecord | undefined, isRacy = false): Judgement {
  const live = record?.present.live;
  if (child === undefined) {
    if (record?.residue === true) return { kind: "residue-gone" };
    return live === undefined ? SAME : { kind: "gone" };
  }
  if (child.problem !== undefined) return { kind: "problem", problem: child.problem };
  const { signature } = child;
  if (signature === undefined) return live === undefined ? SAME : { kind: "problem", problem: SPECIAL_FILE };
  if (record?.residue === true && signature.kind === "directory") return SAME;
  const isKnown = live !== undefined && signaturesEqual(signature, record?.signature);
  if (isKnown && !(isRacy && signature.kind === "file")) return SAME;
  switch (signature.kind) {
    case "file":
      return { kind: "file", signature };
    case "directory":
      return { kind: "entry", content: { kind: "directory", mode: signature.mode }, signature };
    case "symlink":
      return { kind: "entry", content: { kind: "symlink", target: child.target ?? "" }, signature };
  }
}

const SPECIAL_FILE: Problem = {
  code: "ESPECIAL",
  message: "Cannot sync it: it is a socket, pipe or device now. What the other machines have stays as it was.",
};

/** What to report of a path that holds `content`; `undefined` if the index says all of that. */
export function observationOf(
  record: PathRecord | undefined,
  seen: Omit<Extract<Observation, { kind: "present" }>, "kind">,
): Observation | undefined {
  const { path, signature } = seen;
  const before = record?.present.live?.content;
  const content = withRecordedTime(record, seen);
  if (before === undefined || !contentEqual(before, content)) return { kind: "present", ...seen, content };
  return signaturesEqual(record?.signature, signature) ? undefined : { kind: "touched", path, signature };
}

/**
 * A disk may keep coarser times than versions have. As long as a file has the time on the disk that it had when it was
 * recorded, nobody gave it another one. What could not be looked at when it was put there has the time that it was given,
 * as the disk keeps it.
 */
function withRecordedTime(
  record: PathRecord | undefined,
  seen: { content: Content; signature: StatSignature },
): Content {
  const before = record?.present.live?.content;
  const { content, signature } = seen;
  if (before?.kind !== "file" || content.kind !== "file" || before.contentId !== content.contentId) return content;
  const recorded = record?.signature;
  const isAsRecorded =
    recorded === undefined
      ? isTimeAsKept(before.mtimeUs, mtimeUsOf(signature))
      : recorded.mtimeNs === signature.mtimeNs;
  return isAsRecorded ? { ...content, mtimeUs: before.mtimeUs } : content;
}

/** A file's content, as versions carry it. */
export function fileContent(
  contentId: Extract<Content, { kind: "file" }>["contentId"],
  signature: StatSignature,
): Content {
  return { kind: "file", contentId, size: signature.size, mode: signature.mode, mtimeUs: mtimeUsOf(signature) };
}

/** How long to wait before a file may be reported: a large one must have been quiet for a while. */
export function quietDelayMs(signature: StatSignature, nowMs: number): number {
  if (signature.size <= LARGE_FILE_BYTES) return 0;
  const ageMs = nowMs - milliseconds(signature.ctimeNs);
  return ageMs >= 0 && ageMs < LARGE_FILE_QUIET_MS ? LARGE_FILE_QUIET_MS - ageMs : 0;
}

/** How long to wait before a file is worth reading, which takes a while itself: a large one gets quiet in that time. */
export function readDelayMs(signature: StatSignature, nowMs: number): number {
  const readMs = Math.max(0, signature.size - LARGE_FILE_BYTES) / HASHED_PER_MS_BYTES_MAX;
  const headStartMs = Math.min(readMs, LARGE_FILE_QUIET_MS - LARGE_FILE_PAUSE_MS);
  return Math.max(0, quietDelayMs(signature, nowMs) - headStartMs);
}

/**
 * How long to wait before a file that was read just now is read once more, because it could have changed since without
 * a change of its times; 0 if it could not. (git calls such a file racily clean.) ctime decides: nobody can set it.
 */
export function racyDelayMs(signature: StatSignature, nowMs: number): number {
  const granularityMs = isCoarse(signature) ? RACY_COARSE_MS : RACY_MS;
  const ageMs = nowMs - milliseconds(signature.ctimeNs);
  return ageMs < granularityMs ? granularityMs - Math.max(0, ageMs) : 0;
}

function milliseconds(ns: bigint): number {
  return Number(ns / 1_000_000n);
}
