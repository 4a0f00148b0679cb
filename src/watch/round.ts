// One round: looks at some suspects and reports what differs from the index.
//
// Invariants:
// 1. Nothing is reported on the word of a look if the index changed its mind about the path since, or if the path is
//    being applied: then it is looked at again.
// 2. What moved is reported in one batch: where it is now first, then where it was.
// 3. A directory is reported absent only when nothing live is left in it: deepest first.
// 4. A path that became a file or symlink is reported only after what was below it is reported absent.
// 5. Nothing is reported in a directory that has not been: another round may have that in hand.

import { DELETION_DELAY_MS, RETRY_MS_MIN } from "../core/limits.ts";
import { parentOf, type RelativePath } from "../core/path.ts";
import type { HashOutcome } from "../content/hash-job.ts";
import type { Content, PathRecord, StatSignature } from "../index/entry.ts";
import { signaturesEqual } from "../index/signature.ts";
import { gatherFacts, type Fact, type GatherContext } from "./gather.ts";
import { batchesOf } from "./hash-batches.ts";
import { fileContent, judge, observationOf, quietDelayMs, racyDelayMs } from "./judge.ts";
import type { Observation } from "./observation.ts";
import { suspect, type Suspect } from "./suspects.ts";
import { isMoved, type Vanished } from "./vanished.ts";

export interface RoundContext extends GatherContext {
  readonly nowMs: () => number;
  readonly inlineBytesMax: number;
  readonly vanished: Vanished;
  /** Takes a path that is gone for a second look later; it stays in `vanished` until then. */
  readonly lookAgain: (path: RelativePath, delayMs: number) => void;
  readonly retryAfter: (suspect: Suspect, delayMs: number) => void;
  readonly onSolved: (diskPath: string) => void;
  /** More is gone than there is room for. */
  readonly onOverflow: () => void;
  /** Keeps a new file for later, while a scan may still find that it was moved. False: it is hashed now. */
  readonly defer: (suspect: Suspect) => boolean;
  /** One after the other, in order; `build` is called right before the batch is handed over. */
  readonly deliver: (build: () => readonly Observation[]) => Promise<void>;
}

interface FileToHash {
  readonly fact: Fact;
  readonly signature: StatSignature;
}

/** What a look found, sorted by what is to be done. */
interface Sorted {
  readonly entries: Extract<ReturnType<typeof judgeFact>, { kind: "entry" }>[];
  readonly files: FileToHash[];
  readonly gone: Fact[];
  readonly residueGone: Fact[];
}

/** Resolves to false if the folder is not the one that it was. */
export async function runRound(context: RoundContext, suspects: readonly Suspect[]): Promise<boolean> {
  const facts = await gatherFacts(context, suspects);
  if (facts === undefined) return false;
  const sorted = sortFacts(context, facts);
  const confirmed = sorted.gone.filter((fact) => noteGone(context, fact));
  const sources = new MoveSources(context, facts);
  const moved: (FileToHash & { readonly from: PathRecord })[] = [];
  const unknown: FileToHash[] = [];
  for (const file of sorted.files) {
    const from = sources.find(file.fact.path, file.signature);
    if (from === undefined) unknown.push(file);
    else moved.push({ ...file, from });
  }
  await deliverAtOnce(context, { sorted, confirmed, moved, sources });
  await hashAll(context, unknown);
  return true;
}

function judgeFact(context: RoundContext, fact: Fact) {
  return { ...judge(fact.child, context.store.get(fact.path), fact.suspect.isRacy), fact };
}

function sortFacts(context: RoundContext, facts: ReadonlyMap<RelativePath, Fact>): Sorted {
  const sorted: Sorted = { entries: [], files: [], gone: [], residueGone: [] };
  for (const fact of facts.values()) {
    const { suspect, path } = fact;
    if (!isStillTrue(context, fact)) {
      context.retry(suspect);
      continue;
    }
    if (context.ignore().isIgnored(path, isDirectory(context, fact))) continue;
    const judged = judgeFact(context, fact);
    if (judged.kind !== "gone") context.vanished.delete(path);
    if (judged.kind === "problem") {
      context.onProblem(suspect, judged.problem);
      continue;
    }
    if (judged.kind === "entry" || judged.kind === "file") {
      if (judged.signature.kind !== "directory" && waitsForChildren(context, fact)) continue;
    } else {
      context.onSolved(suspect.diskPath);
    }
    if (judged.kind === "gone") sorted.gone.push(fact);
    if (judged.kind === "residue-gone") sorted.residueGone.push(fact);
    if (judged.kind === "entry") sorted.entries.push(judged);
    if (judged.kind === "file") sorted.files.push(judged);
  }
  return sorted;
}

function isDirectory({ store }: RoundContext, { path, child }: Fact): boolean {
  if (child !== undefined) return child.signature?.kind === "directory";
  const record = store.get(path);
  return record?.present.live?.content.kind === "directory" || record?.residue === true;
}

/** Invariant 1. */
function isStillTrue(context: RoundContext, { path, before }: Fact): boolean {
  return !context.isBusy(path) && signaturesEqual(context.store.get(path)?.signature, before);
}

/** Invariant 4. */
function waitsForChildren(context: RoundContext, { path, suspect }: Fact): boolean {
  const below = liveBelow(context, path);
  if (below.length === 0) return false;
  for (const record of below) vanish(context, record);
  context.retryAfter(suspect, DELETION_DELAY_MS + RETRY_MS_MIN);
  return true;
}

/** Returns true if this is the second look, and the path may be reported absent. */
function noteGone(context: RoundContext, { path, suspect }: Fact): boolean {
  if (suspect.isSecondLook && context.vanished.has(path)) return true;
  const record = context.store.get(path);
  if (record === undefined || !vanish(context, record)) return false;
  if (record.present.live?.content.kind === "directory") {
    for (const below of liveBelow(context, path)) if (!vanish(context, below)) break;
  }
  return false;
}

function vanish(context: RoundContext, record: PathRecord): boolean {
  if (context.vanished.has(record.path)) return true;
  if (!context.vanished.add(record)) {
    context.onOverflow();
    return false;
  }
  context.lookAgain(record.path, DELETION_DELAY_MS);
  return true;
}

/** What the index holds as present below a directory, at any depth, unless it is ignored. */
function liveBelow({ store, ignore }: RoundContext, directory: RelativePath): readonly PathRecord[] {
  const found: PathRecord[] = [];
  const open = [directory];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const record of store.children(next)) {
      const { live } = record.present;
      const isDirectory = live?.content.kind === "directory";
      if (isDirectory) open.push(record.path);
      if (live !== undefined && !ignore().isIgnored(record.path, isDirectory)) found.push(record);
    }
  }
  return found;
}

/** Where content that turns up under a new path may come from: paths that are gone or hold something else now. */
class MoveSources {
  readonly #context: RoundContext;
  readonly #replaced = new Map<bigint, RelativePath>();

  constructor(context: RoundContext, facts: ReadonlyMap<RelativePath, Fact>) {
    this.#context = context;
    for (const { path, child, before } of facts.values()) {
      if (before !== undefined && before.inode !== child?.signature?.inode) this.#replaced.set(before.inode, path);
    }
  }

  find(path: RelativePath, signature: StatSignature): PathRecord | undefined {
    const { vanished, store } = this.#context;
    const from = vanished.byInode(signature.inode) ?? this.#replaced.get(signature.inode);
    if (from === undefined || from === path) return undefined;
    const record = store.get(from);
    if (record === undefined || !isMoved(record.signature, signature)) return undefined;
    return record.present.live?.content.kind === signature.kind ? record : undefined;
  }
}

interface AtOnce {
  readonly sorted: Sorted;
  readonly confirmed: readonly Fact[];
  readonly moved: readonly (FileToHash & { readonly from: PathRecord })[];
  readonly sources: MoveSources;
}

/** Everything that needs no reading. */
async function deliverAtOnce(context: RoundContext, { sorted, confirmed, moved, sources }: AtOnce): Promise<void> {
  const { store, vanished } = context;
  const files = moved.flatMap(({ fact, signature, from }) => {
    const live = from.present.live?.content;
    return live?.kind === "file" ? [{ fact, signature, from, content: fileContent(live.contentId, signature) }] : [];
  });
  const entries = sorted.entries.map((entry) => {
    const { fact, signature } = entry;
    return { ...entry, from: signature.kind === "directory" ? sources.find(fact.path, signature) : undefined };
  });
  // A directory sorts before what is in it.
  const appeared = [...entries, ...files].sort((a, b) => (a.fact.path < b.fact.path ? -1 : 1));
  await context.deliver(() => {
    const present = new Map<RelativePath, Observation>();
    const gone: RelativePath[] = [];
    for (const { fact, content, signature, from } of appeared) {
      const { path, suspect } = fact;
      if (!checked(context, fact) || !hasParent(context, fact, present)) continue;
      context.onSolved(suspect.diskPath);
      const seen = { path, content, signature, manifest: undefined, inline: undefined, movedFrom: from?.path };
      const observation = observationOf(store.get(path), seen);
      if (observation !== undefined) present.set(path, observation);
      // Its content was found: it needs no second look.
      if (from !== undefined && vanished.has(from.path) && isUnchanged(context, from)) gone.push(from.path);
    }
    for (const fact of sorted.residueGone) {
      if (checked(context, fact)) present.set(fact.path, { kind: "residue-gone", path: fact.path });
    }
    gone.push(...confirmed.filter((fact) => checked(context, fact)).map(({ path }) => path));
    return [...present.values(), ...absencesOf(context, gone)];
  });
}

/** Invariant 5. `present`: what this batch reports so far. */
function hasParent(context: RoundContext, fact: Fact, present: ReadonlyMap<RelativePath, Observation>): boolean {
  const parent = parentOf(fact.path);
  if (parent === undefined || present.get(parent)?.kind === "present") return true;
  const record = context.store.get(parent);
  if (record?.present.live?.content.kind === "directory" || record?.residue === true) return true;
  context.retry(fact.suspect);
  return false;
}

function isUnchanged({ store }: RoundContext, { path, signature }: PathRecord): boolean {
  return signaturesEqual(store.get(path)?.signature, signature);
}

function checked(context: RoundContext, fact: Fact): boolean {
  if (isStillTrue(context, fact)) return true;
  context.retry(fact.suspect);
  return false;
}

/** Invariant 3. Directories that are not empty yet stay vanished, and are looked at again. */
function absencesOf(context: RoundContext, paths: readonly RelativePath[]): readonly Observation[] {
  const absent = new Set<RelativePath>();
  const deepestFirst = [...new Set(paths)].sort((a, b) => depthOf(b) - depthOf(a));
  for (const path of deepestFirst) {
    const record = context.store.get(path);
    if (record?.present.live === undefined || context.isBusy(path)) {
      context.vanished.delete(path);
    } else if (record.present.live.content.kind === "directory" && hasOthersInside(context, path, absent)) {
      context.lookAgain(path, DELETION_DELAY_MS);
    } else {
      context.vanished.delete(path);
      absent.add(path);
    }
  }
  return [...absent].map((path) => ({ kind: "absent", path }));
}

function hasOthersInside(
  { store, ignore }: RoundContext,
  directory: RelativePath,
  absent: ReadonlySet<RelativePath>,
): boolean {
  for (const { path, present } of store.children(directory)) {
    if (present.live === undefined || absent.has(path)) continue;
    if (!ignore().isIgnored(path, present.live.content.kind === "directory")) return true;
  }
  return false;
}

function depthOf(path: RelativePath): number {
  return path.split("/").length;
}

async function hashAll(context: RoundContext, files: readonly FileToHash[]): Promise<void> {
  const ready = files.filter(({ fact, signature }) => {
    const delayMs = quietDelayMs(signature, context.nowMs());
    if (delayMs > 0) context.retryAfter(fact.suspect, delayMs);
    return delayMs === 0 && !(fact.suspect.isWalked && context.defer(fact.suspect));
  });
  for (const batch of batchesOf(ready, ({ signature }) => signature.size)) {
    const isUrgent = batch.some(({ fact }) => fact.suspect.isUrgent);
    const request = {
      root: context.identity.root,
      files: batch.map(({ fact }) => fact.suspect.diskPath),
      inlineBytesMax: isUrgent ? context.inlineBytesMax : 0,
    };
    const { outcomes } = await context.jobs.run("hash", request, { urgent: isUrgent });
    await context.deliver(() =>
      batch.flatMap(({ fact }, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined || !checked(context, fact) || !hasParent(context, fact, new Map())) return [];
        return reportHashed(context, fact, outcome);
      }),
    );
  }
}

function reportHashed(context: RoundContext, fact: Fact, outcome: HashOutcome): readonly Observation[] {
  const { path, suspect: looked } = fact;
  switch (outcome.kind) {
    case "unsettled":
      context.retry(looked);
      return [];
    case "problem":
      context.onProblem(looked, outcome.problem);
      return [];
    case "hashed": {
      const { contentId, signature, manifest, inline } = outcome;
      context.onSolved(looked.diskPath);
      const delayMs = looked.isRacy ? 0 : racyDelayMs(signature, context.nowMs());
      if (delayMs > 0) context.retryAfter(suspect(looked.diskPath, { isUrgent: looked.isUrgent, isRacy: true }), delayMs);
      const content = fileContent(contentId, signature);
      const seen = { path, content, signature, manifest, inline, movedFrom: undefined };
      const observation = observationOf(context.store.get(path), seen);
      return observation === undefined ? [] : [observation];
    }
  }
}
