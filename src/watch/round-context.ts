// What a round works with, and what every step of it asks before it says anything.

import { parentOf, type RelativePath } from "../core/path.ts";
import type { PathRecord, StatSignature } from "../index/entry.ts";
import { signaturesEqual } from "../index/signature.ts";
import type { Fact, GatherContext } from "./gather.ts";
import type { Observation } from "./observation.ts";
import type { Suspect } from "./suspects.ts";
import type { Vanished } from "./vanished.ts";

export interface RoundContext extends GatherContext {
  readonly nowMs: () => number;
  readonly pause: (delayMs: number) => Promise<void>;
  readonly inlineBytesMax: number;
  /** See known-mode.ts. */
  readonly keepsModes: boolean;
  readonly vanished: Vanished;
  /** Takes a path that is gone for a second look later; it stays in `vanished` until then. */
  readonly lookAgain: (path: RelativePath, delayMs: number) => void;
  /** The same at once: within milliseconds. */
  readonly lookAgainAtOnce: (diskPath: string) => void;
  /** True if this path's hint is the only one for a while: whoever saves, or moves, touches other names, too. */
  readonly isAlone: (diskPath: string) => boolean;
  readonly retryAfter: (suspect: Suspect, delayMs: number) => void;
  readonly onSolved: (diskPath: string) => void;
  /** More is gone than there is room for. */
  readonly onOverflow: () => void;
  /** Keeps a new file for later, while a scan may still find that it was moved. False: it is hashed now. */
  readonly defer: (suspect: Suspect) => boolean;
  /** One after the other, in order; `build` is called right before the batch is handed over. */
  readonly deliver: (build: () => readonly Observation[]) => Promise<void>;
}

/** A file whose signature is not the index's. */
export interface ChangedFile {
  readonly fact: Fact;
  readonly signature: StatSignature;
}

/** What the index says of a path. */
export interface Held {
  readonly record: PathRecord | undefined;
}

/** Round invariant 1: what the index says, if the fact still proves something; else it is looked at again. */
export function heldIfTrue(context: RoundContext, { path, before, suspect }: Fact): Held | undefined {
  const record = context.store.get(path);
  if (!context.isBusy(path) && signaturesEqual(record?.signature, before)) return { record };
  context.retry(suspect);
  return undefined;
}

/** Round invariant 5; if the parent is missing, the path is looked at again. `present`: what this batch reports so far. */
export function hasParent(
  context: RoundContext,
  { path, suspect }: Fact,
  present: ReadonlyMap<RelativePath, Observation>,
): boolean {
  const parent = parentOf(path);
  if (parent === undefined || present.get(parent)?.kind === "present") return true;
  const record = context.store.get(parent);
  if (record?.present.live?.content.kind === "directory" || record?.residue === true) return true;
  context.retry(suspect);
  return false;
}
