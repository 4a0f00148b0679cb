// After the machine lost power: looks at what a power loss may have undone or damaged, before anything else does, and puts
// the index right. What is damaged goes to the trash and is fetched again; index/power-loss.ts says which that is.
//
// What was made durable by a checkpoint is not marked and needs no look. What people saved is nobody's to mark: of that,
// what changed in the last minute before is read, since its times may say nothing.

import { REPLICA_ID_BYTES, replicaIdFromBytes } from "../core/ids.ts";
import { HASH_FILES_MAX, UNFLUSHED_MS_MAX } from "../core/limits.ts";
import { pagesOf } from "../core/pages.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { RootIdentity } from "../edge/root-identity.ts";
import { conflictPath } from "../index/conflict-path.ts";
import { sameContent } from "../index/content.ts";
import { EMPTY_ENTRY, type Content, type Dot, type PathRecord, type StatSignature } from "../index/entry.ts";
import type { Mark } from "../index/index-store.ts";
import { lastChangeNs } from "../index/last-change.ts";
import { judgeAfterPowerLoss } from "../index/power-loss.ts";
import type { RecordStore } from "../index/record-store.ts";
import { isSettled } from "../index/settle.ts";
import { isTimeAsKept, mtimeUsOf } from "../index/signature.ts";
import type { ApplyOperation, ApplyOutcome } from "../transfer/apply-operation.ts";
import { lookPatiently, type Found } from "./look-patiently.ts";

export interface VerifyOptions {
  readonly store: RecordStore;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  readonly identity: RootIdentity;
  readonly toDisk: (path: RelativePath) => string;
  /** Where damaged content is kept, whether a trash is kept otherwise or not: its name below `.dsync/trash/`. */
  readonly trashBatch: string;
  /** Friendly name of this instance. */
  readonly author: string;
}

export interface VerifyReport {
  /** Paths that were looked at. */
  readonly checked: number;
  /** Paths that held no content that anybody made, or nothing: they are fetched again. */
  readonly damaged: readonly RelativePath[];
  /** Paths that held what they had held before: what had been done to them is done again. */
  readonly undone: readonly RelativePath[];
}

const NS_PER_MS = 1_000_000n;
/** Replica IDs are random: no replica has this one. */
const NOBODYS_DOT: Dot = { replica: replicaIdFromBytes(new Uint8Array(REPLICA_ID_BYTES)), counter: 1 };

interface Suspect {
  readonly record: PathRecord;
  readonly mark: Mark | undefined;
  /** Changed shortly before the power loss. */
  readonly isRecent: boolean;
}

type There = Extract<Found, { kind: "there" }>;

export async function verifyMarked(options: VerifyOptions): Promise<VerifyReport> {
  const { store } = options;
  const report = { checked: 0, damaged: [] as RelativePath[], undone: [] as RelativePath[] };
  for (const batch of pagesOf(suspectsOf(options), HASH_FILES_MAX)) {
    report.checked += batch.length;
    const paths = batch.map(({ record }) => options.toDisk(record.path));
    const found = await lookPatiently(options, paths, (index, signature) => isWorthReading(batch[index], signature));
    // Not the folder that it was: the scanner will say so. The marks stay.
    if (found === undefined) break;
    for (const [index, suspect] of batch.entries()) {
      await settle(options, suspect, found[index] ?? { kind: "unclear" }, report);
    }
  }
  if (report.checked > 0) await store.committed();
  return report;
}

/**
 * What is marked from before the machine started; what is pending, since the index may have lost its last moments; and
 * what changed just before.
 */
function* suspectsOf({ store, clock }: VerifyOptions): Iterable<Suspect> {
  const judged = new Set<RelativePath>();
  for (const mark of store.marksOfOtherBoots()) {
    const record = store.get(mark.path);
    judged.add(mark.path);
    if (record === undefined) store.unmark(mark.path);
    else yield { record, mark, isRecent: false };
  }
  if (store.previousStop !== "power-loss") return;
  // Not long before the power loss, or nothing is recent.
  const recentNs = lastChangeNs(store, clock.now()) - BigInt(UNFLUSHED_MS_MAX) * NS_PER_MS;
  for (const record of store.inSubtree([])) {
    if (judged.has(record.path)) continue;
    const isPending = record.known.live?.content.kind === "file" && !isSettled(record);
    const isRecent = record.signature?.kind === "file" && record.signature.ctimeNs > recentNs;
    if (isPending || isRecent) yield { record, mark: undefined, isRecent };
  }
}

/** A file that is neither marked nor recent is read only if its time is that of what was about to be put there. */
function isWorthReading(suspect: Suspect | undefined, signature: StatSignature): boolean {
  if (suspect === undefined || suspect.mark !== undefined || suspect.isRecent) return true;
  const pending = suspect.record.known.live?.content;
  return pending?.kind === "file" && isTimeAsKept(pending.mtimeUs, mtimeUsOf(signature));
}

async function settle(
  options: VerifyOptions,
  { record, mark, isRecent }: Suspect,
  found: Found,
  report: { readonly damaged: RelativePath[]; readonly undone: RelativePath[] },
): Promise<void> {
  const { store } = options;
  const { path } = record;
  const signature = found.kind === "there" ? found.signature : undefined;
  const verdict = judgeAfterPowerLoss({
    held: record.present,
    before: mark?.before ?? [],
    pending: isSettled(record) ? undefined : record.known,
    found: contentOf(found),
    isTouchedSince: isTouchedSince(record, signature),
    isRecent,
  });
  switch (verdict.kind) {
    case "leave":
      if (isElsewhere(record, found)) store.put({ ...record, signature: undefined });
      break;
    case "done":
      // Not left to the scanner: it would take what was there before for replaced by a person.
      store.put({ ...record, present: record.known, signature, residue: false });
      break;
    case "doubtful":
      if (found.kind === "there") await moveBeside(options, path, found);
      store.put(asUnseen(record));
      break;
    case "beside":
      store.put(asUnseen(record));
      break;
    case "undone":
      store.put({ ...record, present: verdict.present, signature, residue: false });
      report.undone.push(path);
      break;
    case "damaged": {
      report.damaged.push(path);
      if (found.kind === "there" && !(await putAside(options, path, found))) {
        return store.put(asReplaceable(record, found));
      }
      store.put(asUnseen(record));
    }
  }
  // Not to be read now: if it stays so, the next start on another boot tries again.
  if (found.kind === "unclear") return;
  if (mark !== undefined) store.unmark(path, mark);
}

function contentOf(found: Found): Content | "absent" | "unreadable" {
  switch (found.kind) {
    case "absent":
      return "absent";
    case "unclear":
      return "unreadable";
    case "there":
      return found.content;
  }
}

/** True if somebody did something to the file after its signature was taken: ctime is nobody's to set. */
function isTouchedSince({ signature: recorded }: PathRecord, found: StatSignature | undefined): boolean {
  return recorded !== undefined && found !== undefined && found.ctimeNs > recorded.ctimeNs;
}

/**
 * True if what the index says was taken away from the path. Where a person moved it to, it may be damaged under the same
 * size and time: without a signature it is no source of a move, and what is there is read. Another inode alone says
 * nothing: some disks (FAT) number anew at each mount.
 */
function isElsewhere({ signature, present }: PathRecord, found: Found): boolean {
  if (signature === undefined || found.kind === "unclear") return false;
  if (found.kind === "absent") return true;
  const isSame = present.live !== undefined && sameContent(present.live.content, found.content);
  return found.signature.inode !== signature.inode && !isSame;
}

/** Nothing was seen at the path: what is known is wanted, and what is there is a version of its own for whoever looks. */
function asUnseen(record: PathRecord): PathRecord {
  return { ...record, present: EMPTY_ENTRY, signature: undefined, residue: false };
}

/**
 * Damage that cannot be moved away now (a directory or a disk that may not be written) is nobody's version: it is
 * never announced, and waits to be replaced by what is known.
 */
function asReplaceable(record: PathRecord, { content, signature }: There): PathRecord {
  const live = { dot: NOBODYS_DOT, stamp: 0, author: "", content };
  const present = { seen: [[NOBODYS_DOT.replica, NOBODYS_DOT.counter]], live } as const;
  return { ...record, present, signature, residue: false };
}

/** Gives what is there the name of a conflict copy. Where that cannot be, it stays, and merge makes one of the two a copy. */
async function moveBeside(options: VerifyOptions, path: RelativePath, found: There): Promise<void> {
  const { toDisk, author, clock } = options;
  const { content, signature } = found;
  if (content.kind !== "file") return;
  const copy = conflictPath(path, { dot: NOBODYS_DOT, stamp: clock.now(), author, content });
  await operate(options, {
    kind: "move",
    diskPath: toDisk(copy),
    expected: "absent",
    from: toDisk(path),
    fromSignature: signature,
    mode: content.mode,
    mtimeUs: content.mtimeUs,
  });
}

/**
 * Moves what is there to the trash; false if somebody changed it meanwhile, or it cannot be moved. It is found there by its
 * content like whatever else is in the trash: what a power loss left may be what a person makes elsewhere.
 */
async function putAside(options: VerifyOptions, path: RelativePath, { content, signature }: There): Promise<boolean> {
  const outcome = await operate(options, {
    kind: "remove",
    diskPath: options.toDisk(path),
    expected: signature,
  });
  if (outcome?.kind !== "applied") return false;
  if (content.kind === "file" && outcome.trashed !== undefined) {
    options.store.putTrashLocation(content.contentId, outcome.trashed);
  }
  return true;
}

/** `undefined`: the folder is another one. */
async function operate(options: VerifyOptions, operation: ApplyOperation): Promise<ApplyOutcome | undefined> {
  const { jobs, identity, trashBatch } = options;
  const result = await jobs.run("apply", { identity, trashBatch, jobId: 0, operations: [operation] });
  return result.kind === "applied" ? result.outcomes[0] : undefined;
}
