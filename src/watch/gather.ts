// Looks at suspects, and at what they lead to: the children of new directories, parents that nobody has reported yet,
// and the other spelling of a name.

import { NEW_DIRECTORY_RESCAN_MS, ROUND_PATHS_MAX } from "../core/limits.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { Problem } from "../core/problem.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { StatSignature } from "../index/entry.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import { unpackChildren } from "./packed-children.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import type { ScannedChild } from "./scan-job.ts";
import type { Spelling } from "./spelling.ts";
import { suspect, type Suspect } from "./suspects.ts";

/** One path as it was seen, and what the index said of it just before. */
export interface Fact {
  readonly suspect: Suspect;
  readonly path: RelativePath;
  /** `undefined`: nothing was there. */
  readonly child: ScannedChild | undefined;
  /** The record's signature before the look. If it is another one later, the look proves nothing. */
  readonly before: StatSignature | undefined;
  /** Found under another spelling than the one that was known. */
  readonly isSpeltAnew: boolean;
}

export interface GatherContext {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly identity: RootIdentity;
  readonly spelling: Spelling;
  readonly ignore: () => IgnoreRules;
  readonly isBusy: (path: RelativePath) => boolean;
  /** Takes a path that was not asked for; false if it is being looked at already. */
  readonly claim: (diskPath: string) => boolean;
  readonly retry: (suspect: Suspect) => void;
  /** Reads this directory with all that is below it, later. */
  readonly walkLater: (diskPath: string, delayMs: number) => void;
  readonly onProblem: (suspect: Suspect, problem: Problem) => void;
  /** A directory is there; called before its children are read. */
  readonly onDirectory: (diskPath: string) => void;
  /** Disk paths that were refused because another spelling of the same name was there first. */
  readonly secondSpellings: () => readonly string[];
}

interface Look {
  readonly suspect: Suspect;
  readonly path: RelativePath;
  readonly before: StatSignature | undefined;
}

/** `undefined`: the folder is not the one that it was. */
export async function gatherFacts(
  context: GatherContext,
  suspects: readonly Suspect[],
): Promise<ReadonlyMap<RelativePath, Fact> | undefined> {
  const facts = new Map<RelativePath, Fact>();
  let wave = suspects;
  while (wave.length > 0) {
    const looks = prepareLooks(context, wave);
    const found = await lookAt(context, looks);
    if (found === undefined) return undefined;
    const news = settleSpelling(context, looks, found);
    for (const fact of news) {
      facts.set(fact.path, fact);
      if (fact.child?.signature?.kind === "directory") context.onDirectory(fact.suspect.diskPath);
    }
    const next = await followUp(context, news, facts);
    if (next === undefined) return undefined;
    wave = next;
  }
  return facts;
}

/** Leaves out what is no path, ignored or being applied right now; adds the spelling that the disk had so far. */
function prepareLooks(context: GatherContext, wave: readonly Suspect[]): readonly Look[] {
  const { store, spelling, claim } = context;
  const looks = new Map<string, Look>();
  for (const suspect of wave) {
    const path = spelling.fromDisk(suspect.diskPath);
    if (path === undefined) {
      context.onProblem(suspect, NO_PATH);
      continue;
    }
    const rules = context.ignore();
    if (rules.isIgnored(path, false) && rules.isIgnored(path, true)) continue;
    if (context.isBusy(path)) {
      context.retry(suspect);
      continue;
    }
    const before = store.get(path)?.signature;
    looks.set(suspect.diskPath, { suspect, path, before });
    for (const diskPath of [spelling.toDisk(path), ...successorsOf(context, suspect, path)]) {
      if (diskPath === suspect.diskPath || looks.has(diskPath) || !claim(diskPath)) continue;
      looks.set(diskPath, { suspect: { ...suspect, diskPath }, path, before });
    }
  }
  return [...looks.values()];
}

/** When a path is about to be reported absent, a second spelling that was refused so far may take its place. */
function successorsOf({ spelling, secondSpellings }: GatherContext, { isSecondLook }: Suspect, path: RelativePath) {
  return isSecondLook ? secondSpellings().filter((diskPath) => spelling.fromDisk(diskPath) === path) : [];
}

async function lookAt(
  { jobs, identity }: GatherContext,
  looks: readonly Look[],
): Promise<readonly (ScannedChild | undefined)[] | undefined> {
  const urgent = looks.some(({ suspect }) => suspect.isUrgent);
  const result = await jobs.run("look", { identity, paths: looks.map((look) => look.suspect.diskPath) }, { urgent });
  return result.kind === "looked" ? result.items : undefined;
}

/** One fact per path: of two spellings the one that the disk had so far counts, the other is a problem. */
function settleSpelling(
  context: GatherContext,
  looks: readonly Look[],
  found: readonly (ScannedChild | undefined)[],
): readonly Fact[] {
  const { spelling, onProblem, retry } = context;
  const facts = new Map<RelativePath, Fact>();
  const others: Fact[] = [];
  for (const [index, look] of looks.entries()) {
    const fact = { ...look, child: found[index], isSpeltAnew: false };
    if (look.suspect.diskPath === spelling.toDisk(look.path)) facts.set(look.path, fact);
    else if (fact.child !== undefined) others.push(fact);
  }
  for (const other of others) {
    const { path, child, suspect } = other;
    const parent = parentOf(path);
    const parentOnDisk = parent === undefined ? "" : `${spelling.toDisk(parent)}/`;
    if (!suspect.diskPath.startsWith(parentOnDisk) || suspect.diskPath.slice(parentOnDisk.length).includes("/")) {
      // Its directory is spelt otherwise, too, and comes first.
      retry({ ...suspect, diskPath: suspect.diskPath.slice(0, suspect.diskPath.lastIndexOf("/")) });
    } else if (isAnother(facts.get(path)?.child, child)) {
      onProblem(suspect, SECOND_SPELLING);
    } else if (child !== undefined && spelling.note(path, child.name)) {
      facts.set(path, { ...other, isSpeltAnew: true });
    } else {
      onProblem(suspect, TOO_MANY_SPELLINGS);
    }
  }
  return [...facts.values()];
}

/** False if both names find one file: on a disk that takes either (macOS), whose spelling was not remembered (a crash). */
function isAnother(known: ScannedChild | undefined, child: ScannedChild | undefined): boolean {
  return known !== undefined && (known.signature === undefined || known.signature.inode !== child?.signature?.inode);
}

/** The next paths to look at; `undefined` if the folder is not the one that it was. */
async function followUp(
  context: GatherContext,
  news: readonly Fact[],
  facts: ReadonlyMap<RelativePath, Fact>,
): Promise<readonly Suspect[] | undefined> {
  const next: Suspect[] = [];
  const fresh: string[] = [];
  for (const { path, child, before, suspect, isSpeltAnew } of news) {
    if (child?.signature === undefined) continue;
    next.push(...unknownParent(context, path, suspect, facts));
    if (child.signature.kind !== "directory" || suspect.isWalked) continue;
    const isNew = before?.kind !== "directory" && context.store.get(path)?.residue !== true;
    if (isNew && !context.ignore().isIgnored(path, true)) fresh.push(suspect.diskPath);
    // What was made in it before its watch was set raised no event; one that was replaced holds something else, and
    // another mode may let us in.
    const isOther = before?.inode !== child.signature.inode || before.mode !== child.signature.mode;
    // A walk did not go into what it knew by another spelling.
    if (isNew || isOther || isSpeltAnew) context.walkLater(suspect.diskPath, NEW_DIRECTORY_RESCAN_MS);
  }
  if (fresh.length === 0) return next;
  const children = await childrenOf(context, fresh, facts.size + next.length);
  return children === undefined ? undefined : [...next, ...children];
}

/** Nothing is reported below a directory that is not. */
function unknownParent(
  context: GatherContext,
  path: RelativePath,
  { isUrgent }: Suspect,
  facts: ReadonlyMap<RelativePath, Fact>,
): readonly Suspect[] {
  const parent = parentOf(path);
  if (parent === undefined || facts.has(parent)) return [];
  const record = context.store.get(parent);
  if (record?.present.live?.content.kind === "directory" || record?.residue === true) return [];
  const diskPath = context.spelling.toDisk(parent);
  return context.claim(diskPath) ? [suspect(diskPath, { isUrgent })] : [];
}

/** The children of new directories, as far as there is room in the round; the rest is walked. */
async function childrenOf(
  context: GatherContext,
  directories: readonly string[],
  taken: number,
): Promise<readonly Suspect[] | undefined> {
  const result = await context.jobs.run("scan", { identity: context.identity, directories }, { urgent: true });
  if (result.kind === "root-changed") return undefined;
  const suspects: Suspect[] = [];
  for (const { directory, listing } of result.directories) {
    if (listing.kind !== "listed" || taken + suspects.length + listing.children.count > ROUND_PATHS_MAX) {
      context.walkLater(directory, 0);
      continue;
    }
    for (const { name } of unpackChildren(listing.children)) {
      const diskPath = `${directory}/${name}`;
      if (context.claim(diskPath)) suspects.push(suspect(diskPath, { isUrgent: true }));
    }
  }
  return suspects;
}

const NO_PATH: Problem = {
  code: "EILSEQ",
  message: "Cannot sync it: its name is not valid Unicode, or its path is longer than 4,096 bytes. Rename it.",
};

/** The problem of the second of two spellings of one name in one directory. */
export const SECOND_SPELLING: Problem = {
  code: "ESPELLING",
  message: "Cannot sync it: another file here has the same name in other Unicode characters. Rename one of the two.",
};

const TOO_MANY_SPELLINGS: Problem = {
  code: "ESPELLINGS",
  message: "Cannot sync it: too many names here are not in Unicode's composed form (NFC). Rename it.",
};
