// After a kill: what was put in place, and only the index did not get to keep that, is noted before anything is heard from
// peers. Otherwise it would pass for a person's once what is known of its path has changed: a file that was deleted
// elsewhere meanwhile would come back.
//
// Only what is exactly as it was to be put there counts. Anything else is the scanner's to judge.

import { BULK_ROUND_PATHS_MAX } from "../core/limits.ts";
import { pagesOf } from "../core/pages.ts";
import type { RelativePath } from "../core/path.ts";
import { isContentAsKept } from "../index/content.ts";
import type { Content, PathRecord, StatSignature } from "../index/entry.ts";
import type { RecordStore } from "../index/record-store.ts";
import { isUnclean } from "../index/store-state.ts";
import { isSettled } from "../index/settle.ts";
import { signaturesEqual } from "../index/signature.ts";
import { copyToCome } from "../transfer/decide.ts";
import { fileContent } from "../watch/judge.ts";
import { lookPatiently, type Found, type LookOptions } from "./look-patiently.ts";

export interface AdoptOptions extends LookOptions {
  readonly store: RecordStore;
  readonly toDisk: (path: RelativePath) => string;
  /** False if the disk shows the same mode whatever is set. */
  readonly keepsModes: boolean;
}

type There = Extract<Found, { kind: "there" }>;

/** Returns the paths that hold what is known of them, and of which the index did not know that. */
export async function adoptPlaced(options: AdoptOptions): Promise<readonly RelativePath[]> {
  const { store } = options;
  const adopted: RelativePath[] = [];
  if (!isUnclean(store.previousStop)) return adopted;
  const placed = await findPlaced(options);
  for (const path of placed.keys()) adopt(store, placed, path, adopted);
  if (adopted.length > 0) await store.committed();
  return adopted;
}

async function findPlaced(options: AdoptOptions): Promise<ReadonlyMap<RelativePath, There>> {
  const { store, toDisk } = options;
  const placed = new Map<RelativePath, There>();
  for (const paths of pagesOf(store.pending(), BULK_ROUND_PATHS_MAX)) {
    const records = paths.flatMap((path) => store.get(path) ?? []).filter(({ known }) => known.live !== undefined);
    const diskPaths = records.map(({ path }) => toDisk(path));
    const all = await lookPatiently(options, diskPaths, (index, signature) => {
      const pending = records[index]?.known.live?.content;
      return (
        pending?.kind === "file" &&
        isPlaced(options, records[index], fileContent(pending.contentId, signature), signature)
      );
    });
    // Not the folder that it was: the scanner will say so.
    if (all === undefined) return new Map();
    for (const [index, record] of records.entries()) {
      const found = all[index];
      if (found?.kind !== "there" || !isPlaced(options, record, found.content, found.signature)) continue;
      placed.set(record.path, found);
    }
  }
  return placed;
}

/** Content that lost a conflict was put at its conflict path first: where that is still to come, a person was here. */
function adopt(
  store: RecordStore,
  placed: ReadonlyMap<RelativePath, There>,
  path: RelativePath,
  adopted: RelativePath[],
): void {
  const record = store.get(path);
  const found = placed.get(path);
  if (record === undefined || found === undefined || isSettled(record)) return;
  const copy = copyToCome(record, store);
  if (copy !== undefined) adopt(store, placed, copy, adopted);
  if (copyToCome(record, store) !== undefined) return;
  store.mark(path, record.present);
  store.put({ ...record, present: record.known, signature: found.signature, residue: false });
  if (found.content.kind === "file") store.putChunkLocations(found.content.contentId);
  adopted.push(path);
}

/** True if `found` is what was to be put at the path, and not what the index says was there before. */
function isPlaced(
  { keepsModes }: AdoptOptions,
  record: PathRecord | undefined,
  found: Content,
  signature: StatSignature,
): boolean {
  const pending = record?.known.live?.content;
  if (pending === undefined || signaturesEqual(record?.signature, signature)) return false;
  const isModeShown = keepsModes || found.kind === "symlink" || pending.kind === "symlink";
  return isContentAsKept(pending, isModeShown ? found : { ...found, mode: pending.mode });
}
