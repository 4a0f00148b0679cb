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
  const running: Promise<ScanResult>[] = [];
  while (next < frontier.length || running.length > 0) {
    if (!(await context.hasRoom())) {
      await Promise.allSettled(running);
      return true;
    }
    while (running.length < JOBS_IN_FLIGHT && next < frontier.length) {
      const directories = frontier.slice(next, next + SCAN_DIRECTORIES_MAX);
      next += directories.length;
      const job = context.jobs.run("scan", { identity: context.identity, directories });
      // Awaited in its turn; until then a failure is nobody's.
      job.catch(() => undefined);
      running.push(job);
    }
    const result = await running.shift();
    if (result?.kind !== "scanned") {
      await Promise.allSettled(running);
      return false;
    }
    for (const directory of result.directories) {
      for (const below of compareDirectory(context, directory)) frontier.push(below);
    }
    if (next > DIRTY_PATHS_MAX) {
      frontier = frontier.slice(next);
      next = 0;
    }
  }
  return true;
}

/** Returns the directories inside, to be walked next. */
function compareDirectory(context: WalkContext, { directory, listing }: ScannedDirectory): readonly string[] {
  const path = directory === "" ? undefined : context.spelling.fromDisk(directory);
  switch (listing.kind) {
    case "gone":
      if (directory !== "") context.suspect(directory, true);
      return [];
    case "unreadable":
      context.onUnreadable(directory, listing.problem);
      return [];
    case "listed":
      context.onReadable(directory);
      context.onScanned(listing.children.count);
      if (directory !== "" && (path === undefined || context.spelling.toDisk(path) !== directory)) {
        // It is not known by this name, or not yet.
        context.suspect(directory, false);
        return [];
      }
      return compareChildren(context, { directory, path, children: listing.children });
  }
}

interface Listed {
  readonly directory: string;
  readonly path: RelativePath | undefined;
  readonly children: PackedChildren;
}

function compareChildren(context: WalkContext, { directory, path, children }: Listed): readonly string[] {
  const { spelling, store } = context;
  const rules = context.ignore();
  const below: string[] = [];
  const missing = presentIn(store, path);
  for (const child of unpackChildren(children)) {
    const diskPath = directory === "" ? child.name : `${directory}/${child.name}`;
    const childPath = spelling.childFromDisk(path, child.name);
    if (childPath === undefined || child.problem !== undefined) {
      // Looked at alone, it says what is wrong with it.
      context.suspect(diskPath, true);
      if (childPath !== undefined) missing.delete(baseName(childPath));
      continue;
    }
    const name = baseName(childPath);
    const isDirectory = child.signature?.kind === "directory";
    const present = missing.get(name);
    missing.delete(name);
    if (isBesideName(child.name) && !isDirectory) context.onLeftover(diskPath);
    // A name in a spelling that is new here is settled before anybody looks inside.
    const isSpelt = spelling.toDisk(childPath) === diskPath;
    const isSame = isSpelt && isAsPresent(store, child, present);
    // Nothing follows from a file that is as it was, ignored or not.
    if (!(isSame && !isDirectory) && rules.isIgnored(childPath, isDirectory)) continue;
    if (isDirectory && isSpelt) below.push(diskPath);
    if (isSame) context.onSame(diskPath);
    else context.suspect(diskPath, isSpelt);
  }
  for (const { path: missed } of missing.values()) {
    const record = store.get(missed);
    const isDirectory = record?.present.live?.content.kind === "directory" || record?.residue === true;
    if (judge(undefined, record).kind === "same" || rules.isIgnored(missed, isDirectory)) continue;
    context.suspect(spelling.toDisk(missed), true);
  }
  return below;
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
