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
import type { RelativePath } from "../core/path.ts";
import type { PathRecord } from "../index/entry.ts";
import { signaturesEqual } from "../index/signature.ts";
import { absencesOf } from "./absences.ts";
import { gatherFacts, type Fact } from "./gather.ts";
import { hashFilesInBatches } from "./hash-files.ts";
import { fileContent, judge, observationOf, racyDelayMs, type Judgement } from "./judge.ts";
import { withKnownMode } from "./known-mode.ts";
import { MoveSources } from "./move-sources.ts";
import type { Observation } from "./observation.ts";
import { hasParent, heldIfTrue, type ChangedFile, type Held, type RoundContext } from "./round-context.ts";
import { suspect as newSuspect, type Suspect } from "./suspects.ts";

type ChangedEntry = Extract<Judgement, { kind: "entry" }> & { readonly fact: Fact };
type MovedFile = ChangedFile & { readonly from: PathRecord };

/** What a look found, sorted by what is to be done. */
interface Sorted {
  readonly entries: ChangedEntry[];
  readonly files: ChangedFile[];
  /** Gone for the second time. */
  readonly gone: Fact[];
  readonly residueGone: Fact[];
}

/** Resolves to false if the folder is not the one that it was. */
export async function runRound(context: RoundContext, suspects: readonly Suspect[]): Promise<boolean> {
  const facts = await gatherFacts(context, suspects);
  if (facts === undefined) return false;
  const sorted = sortFacts(context, facts);
  const sources = new MoveSources(context, facts);
  const moved: MovedFile[] = [];
  const unknown: ChangedFile[] = [];
  for (const file of sorted.files) {
    const from = sources.find(file.fact);
    if (from === undefined) unknown.push(file);
    else moved.push({ ...file, from });
  }
  await reportAtOnce(context, { sorted, moved, sources });
  await hashFilesInBatches(context, unknown);
  return true;
}

function sortFacts(context: RoundContext, facts: ReadonlyMap<RelativePath, Fact>): Sorted {
  const sorted: Sorted = { entries: [], files: [], gone: [], residueGone: [] };
  for (const fact of facts.values()) {
    const held = heldIfTrue(context, fact);
    if (held !== undefined && !context.ignore().isIgnored(fact.path, isDirectory(fact, held))) {
      sortFact(context, { fact, held, sorted });
    }
  }
  return sorted;
}

/** What we wrote ourselves was never read: somebody may have edited it since, within one step of the disk's clock. */
function lookAgainIfRacy(context: RoundContext, { suspect, child }: Fact): void {
  const signature = child?.signature;
  if (signature?.kind !== "file" || suspect.isWalked || suspect.isRacy) return;
  const { diskPath, isUrgent } = suspect;
  const delayMs = racyDelayMs(signature, context.nowMs());
  if (delayMs > 0) context.retryAfter(newSuspect(diskPath, { isUrgent, isRacy: true }), delayMs);
}

function sortFact(
  context: RoundContext,
  { fact, held, sorted }: { readonly fact: Fact; readonly held: Held; readonly sorted: Sorted },
): void {
  const { suspect, path, child } = fact;
  const judged = judge(child, held.record, suspect.isRacy);
  if (judged.kind !== "gone") context.vanished.delete(path);
  switch (judged.kind) {
    case "problem":
      return context.onProblem(suspect, judged.problem);
    case "same":
      lookAgainIfRacy(context, fact);
      return context.onSolved(suspect.diskPath);
    case "residue-gone":
      sorted.residueGone.push(fact);
      return context.onSolved(suspect.diskPath);
    case "gone":
      if (noteGone(context, fact, held)) sorted.gone.push(fact);
      return context.onSolved(suspect.diskPath);
    case "file":
      if (!waitsForChildren(context, fact, held)) sorted.files.push({ fact, signature: judged.signature });
      return;
    case "entry":
      if (judged.signature.kind === "directory" || !waitsForChildren(context, fact, held)) {
        sorted.entries.push({ ...judged, fact });
      }
  }
}

function isDirectory({ child }: Fact, { record }: Held): boolean {
  if (child !== undefined) return child.signature?.kind === "directory";
  return record?.present.live?.content.kind === "directory" || record?.residue === true;
}

/** Invariant 4. Only what was a directory has anything below it. */
function waitsForChildren(context: RoundContext, { path, suspect }: Fact, { record }: Held): boolean {
  if (record?.present.live?.content.kind !== "directory") return false;
  const below = liveBelow(context, path);
  if (below.length === 0) return false;
  for (const record of below) vanish(context, record);
  context.retryAfter(suspect, DELETION_DELAY_MS + RETRY_MS_MIN);
  return true;
}

/** Returns true if this is the second look, and the path may be reported absent. */
function noteGone(context: RoundContext, { path, suspect }: Fact, { record }: Held): boolean {
  if (suspect.isSecondLook && context.vanished.has(path)) return true;
  if (record === undefined || !vanish(context, record)) return false;
  if (record.present.live?.content.kind === "directory") {
    for (const below of liveBelow(context, path)) if (!vanish(context, below)) break;
  } else if (context.isAlone(suspect.diskPath)) context.lookAgainAtOnce(suspect.diskPath);
  return false;
}

function vanish(context: RoundContext, record: PathRecord): boolean {
  if (!context.vanished.has(record.path) && !context.vanished.add(record)) {
    context.onOverflow();
    return false;
  }
  // Again also for what had vanished before: there may have been no room for its second look.
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

interface AtOnce {
  readonly sorted: Sorted;
  readonly moved: readonly MovedFile[];
  readonly sources: MoveSources;
}

/** Everything that needs no reading. */
async function reportAtOnce(context: RoundContext, { sorted, moved, sources }: AtOnce): Promise<void> {
  const { vanished } = context;
  const files = moved.flatMap(({ fact, signature, from }) => {
    const live = from.present.live?.content;
    return live?.kind === "file" ? [{ fact, signature, from, content: fileContent(live.contentId, signature) }] : [];
  });
  const entries = sorted.entries.map((entry) => {
    const { fact, signature } = entry;
    return { ...entry, from: signature.kind === "directory" ? sources.find(fact) : undefined };
  });
  // A directory sorts before what is in it.
  const appeared = [...entries, ...files].toSorted((a, b) => (a.fact.path < b.fact.path ? -1 : 1));
  await context.deliver(() => {
    const present = new Map<RelativePath, Observation>();
    const gone: RelativePath[] = [];
    for (const { fact, content, signature, from } of appeared) {
      const { path, suspect } = fact;
      const held = heldIfTrue(context, fact);
      if (held === undefined || !hasParent(context, fact, present)) continue;
      context.onSolved(suspect.diskPath);
      const known = withKnownMode({ content, signature, record: held.record, from, keepsModes: context.keepsModes });
      const seen = { path, content: known, signature, manifest: undefined, inline: undefined, movedFrom: from?.path };
      const observation = observationOf(held.record, seen);
      if (observation !== undefined) present.set(path, observation);
      // Its content was found: it needs no second look.
      if (from !== undefined && vanished.has(from.path) && isUnchanged(context, from)) gone.push(from.path);
    }
    for (const fact of sorted.residueGone) {
      if (heldIfTrue(context, fact) !== undefined) present.set(fact.path, { kind: "residue-gone", path: fact.path });
    }
    for (const fact of sorted.gone) if (heldIfTrue(context, fact) !== undefined) gone.push(fact.path);
    return [...present.values(), ...absencesOf(context, gone)];
  });
}

function isUnchanged({ store }: RoundContext, { path, signature }: PathRecord): boolean {
  return signaturesEqual(store.get(path)?.signature, signature);
}
