// Walks directories and finds what differs from the index. What it finds is suspect, no more: each path is looked at
// again before anything is reported, since the index moves on while a walk runs.

import { DIRTY_PATHS_MAX, SCAN_DIRECTORIES_MAX } from "../core/limits.ts";
import { isBesideName, baseName, type RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { Presence } from "../index/entry.ts";
import type { IndexStore } from "../index/index-store.ts";
import { signaturesEqual } from "../index/signature.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import { judge } from "./judge.ts";
import { unpackChildren, type PackedChildren } from "./packed-children.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { ScannedChild, ScannedDirectory, ScanResult } from "./scan-job.ts";
import type { Spelling } from "./spelling.ts";

export interface WalkContext {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly identity: RootIdentity;
  readonly spelling: Spelling;
  readonly ignore: () => IgnoreRules;
  /** Resolves when there is room for more suspects; false: stop walking. */
  readonly hasRoom: () => Promise<boolean>;
  /** `isWalked`: what is in it, if it is a directory, is walked as well. */
  readonly suspect: (diskPath: string, isWalked: boolean) => void;
  /** It was looked at and is as the index says. */
  readonly onSame: (diskPath: string) => void;
  readonly onUnreadable: (directory: string, problem: Problem) => void;
  /** True while any path has a problem, which only a look can solve. */
  readonly hasProblems: () => boolean;
  /** It was read, or is gone: nothing is wrong with it. */
  readonly onReadable: (directory: string) => void;
  readonly onScanned: (paths: number) => void;
  /** A file or symlink with a name that only dsync gives, outside of its own directory. */
  readonly onLeftover: (diskPath: string) => void;
}

/** Scan jobs at once: one runs while the results of the other are compared. */
const JOBS_IN_FLIGHT = 2;

/**
 * Walks breadth-first from `start` (disk paths, `""`: the root). Resolves to false if the folder is not the one that it
 * was, and to true otherwise, also when it was told to stop.
 */
export async function walkDirectories(context: WalkContext, start: readonly string[]): Promise<boolean> {
  let frontier = [...start];
  let next = 0;
  const running: Asked[] = [];
  while (next < frontier.length || running.length > 0) {
    if (!(await context.hasRoom())) {
      await Promise.allSettled(running.map(({ job }) => job));
      return true;
    }
    while (running.length < JOBS_IN_FLIGHT && next < frontier.length) {
      const directories = frontier.slice(next, next + SCAN_DIRECTORIES_MAX);
      next += directories.length;
      running.push(ask(context, directories));
    }
    const asked = running.shift();
    const result = await asked?.job;
    if (asked === undefined || result?.kind !== "scanned") {
      await Promise.allSettled(running.map(({ job }) => job));
      return false;
    }
    for (const [index, directory] of result.directories.entries()) {
      const before = { rules: asked.rules, expected: asked.expected[index] };
      for (const below of compareDirectory(context, directory, before)) frontier.push(below);
    }
    if (next > DIRTY_PATHS_MAX) {
      frontier = frontier.slice(next);
      next = 0;
    }
  }
  return true;
}

/** A scan job that was asked for, and what was known then. */
interface Asked {
  readonly job: Promise<ScanResult>;
  readonly rules: IgnoreRules;
  /** One per directory. */
  readonly expected: readonly string[];
}

function ask(context: WalkContext, directories: readonly string[]): Asked {
  const { jobs, identity, ignore } = context;
  const rules = ignore();
  const expected = directories.map((directory) => expectedIn(context, directory, rules));
  // A problem that is over is found by comparing.
  const job = jobs.run("scan", { identity, directories, ...(context.hasProblems() ? {} : { expected }) });
  // Awaited in its turn; until then a failure is nobody's.
  job.catch(() => undefined);
  return { job, rules, expected };
}

function expectedIn({ store, spelling }: WalkContext, directory: string, rules: IgnoreRules): string {
  const path = directory === "" ? undefined : spelling.fromDisk(directory);
  return directory !== "" && path === undefined ? "" : store.listing(path, rules.key);
}

/** What was known of one directory when its listing was asked for. */
interface Before {
  readonly rules: IgnoreRules;
  readonly expected: string | undefined;
}

/** Returns the directories inside, to be walked next. */
function compareDirectory(
  context: WalkContext,
  { directory, listing }: ScannedDirectory,
  before: Before,
): readonly string[] {
  const { spelling, store } = context;
  const path = directory === "" ? undefined : spelling.fromDisk(directory);
  if (listing.kind !== "unreadable") context.onReadable(directory);
  switch (listing.kind) {
    case "gone":
      // What is there instead, if anything, was not read.
      return directory === "" ? [] : suspectDirectory(context, directory);
    case "unreadable":
      context.onUnreadable(directory, listing.problem);
      return [];
    case "unchanged":
      if (!isKnownByName(spelling, path, directory)) return suspectDirectory(context, directory);
      // The index moved on meanwhile.
      if (store.listing(path, before.rules.key) !== before.expected) return [directory];
      context.onScanned(listing.count);
      return listing.below
        .map((name) => (directory === "" ? name : `${directory}/${name}`))
        .filter((diskPath) => !isIgnoredDirectory(context, diskPath));
    case "listed": {
      const { children, sum } = listing;
      context.onScanned(children.count);
      if (!isKnownByName(spelling, path, directory)) return suspectDirectory(context, directory);
      const { below, isSame } = compareChildren(context, { directory, path, children });
      if (isSame && sum !== undefined && before.rules === context.ignore()) {
        store.noteListing(path, before.rules.key, sum);
      }
      return below;
    }
  }
}

function isKnownByName(spelling: Spelling, path: RelativePath | undefined, directory: string): boolean {
  return directory === "" || (path !== undefined && spelling.toDisk(path) === directory);
}

function suspectDirectory(context: WalkContext, directory: string): readonly string[] {
  context.suspect(directory, false);
  return [];
}

function isIgnoredDirectory({ spelling, ignore }: WalkContext, diskPath: string): boolean {
  const path = spelling.fromDisk(diskPath);
  return path === undefined || ignore().isIgnored(path, true);
}

interface Listed {
  readonly directory: string;
  readonly path: RelativePath | undefined;
  readonly children: PackedChildren;
}

interface Compared {
  /** Directories to be walked next. */
  readonly below: readonly string[];
  /** Nothing is suspect, and nothing was left behind. */
  readonly isSame: boolean;
}

function compareChildren(context: WalkContext, { directory, path, children }: Listed): Compared {
  const { spelling, store } = context;
  let isAllSame = true;
  const suspect = (diskPath: string, isWalked: boolean): void => {
    isAllSame = false;
    context.suspect(diskPath, isWalked);
  };
  const rules = context.ignore();
  const below: string[] = [];
  const missing = presentIn(store, path);
  for (const child of unpackChildren(children)) {
    const diskPath = directory === "" ? child.name : `${directory}/${child.name}`;
    const childPath = spelling.childFromDisk(path, child.name);
    if (childPath === undefined || child.problem !== undefined) {
      // Looked at alone, it says what is wrong with it.
      suspect(diskPath, true);
      if (childPath !== undefined) missing.delete(baseName(childPath));
      continue;
    }
    const name = baseName(childPath);
    const isDirectory = child.signature?.kind === "directory";
    const present = missing.get(name);
    missing.delete(name);
    if (isBesideName(child.name) && !isDirectory) {
      isAllSame = false;
      context.onLeftover(diskPath);
    }
    // A name in a spelling that is new here is settled before anybody looks inside.
    const isSpelt = spelling.toDisk(childPath) === diskPath;
    const isSame = isSpelt && isAsPresent(store, child, present);
    // Nothing follows from a file that is as it was, ignored or not.
    if (!(isSame && !isDirectory) && rules.isIgnored(childPath, isDirectory)) continue;
    if (isDirectory && isSpelt) below.push(diskPath);
    if (isSame) context.onSame(diskPath);
    else suspect(diskPath, isSpelt);
  }
  for (const { path: missed } of missing.values()) {
    const record = store.get(missed);
    const isDirectory = record?.present.live?.content.kind === "directory" || record?.residue === true;
    if (judge(undefined, record).kind === "same" || rules.isIgnored(missed, isDirectory)) continue;
    suspect(spelling.toDisk(missed), true);
  }
  return { below, isSame: isAllSame };
}

/** Most paths are told by their signature alone; for the others their record is read. */
function isAsPresent(store: IndexStore, child: ScannedChild, present: Presence | undefined): boolean {
  if (present?.signature !== undefined && signaturesEqual(child.signature, present.signature)) return true;
  return judge(child, present === undefined ? undefined : store.get(present.path)).kind === "same";
}

function presentIn(store: IndexStore, directory: RelativePath | undefined): Map<string, Presence> {
  const present = new Map<string, Presence>();
  for (const presence of store.presentIn(directory)) present.set(baseName(presence.path), presence);
  return present;
}
