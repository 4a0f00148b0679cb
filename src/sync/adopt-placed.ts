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
import { signaturesEqual } from "../index/signature.ts";
import { fileContent } from "../watch/judge.ts";
import { lookPatiently, type LookOptions } from "./look-patiently.ts";

export interface AdoptOptions extends LookOptions {
  readonly store: RecordStore;
  readonly toDisk: (path: RelativePath) => string;
  /** False if the disk shows the same mode whatever is set. */
  readonly keepsModes: boolean;
}

/** Returns the paths that hold what is known of them, and of which the index did not know that. */
export async function adoptPlaced(options: AdoptOptions): Promise<readonly RelativePath[]> {
  const { store, toDisk } = options;
  const adopted: RelativePath[] = [];
  if (store.previousStop === "clean" || store.previousStop === "none") return adopted;
  for (const paths of pagesOf([...store.pending()], BULK_ROUND_PATHS_MAX)) {
    const records = paths.flatMap((path) => store.get(path) ?? []).filter(({ known }) => known.live !== undefined);
    const diskPaths = records.map(({ path }) => toDisk(path));
    const found = await lookPatiently(options, diskPaths, (index, signature) => {
      const pending = records[index]?.known.live?.content;
      return (
        pending?.kind === "file" &&
        isPlaced(options, records[index], fileContent(pending.contentId, signature), signature)
      );
    });
    // Not the folder that it was: the scanner will say so.
    if (found === undefined) break;
    for (const [index, record] of records.entries()) {
      const there = found[index];
      if (there?.kind !== "there" || !isPlaced(options, record, there.content, there.signature)) continue;
      store.mark(record.path, record.present);
      store.put({ ...record, present: record.known, signature: there.signature, residue: false });
      if (there.content.kind === "file") store.putChunkLocations(there.content.contentId);
      adopted.push(record.path);
    }
  }
  if (adopted.length > 0) await store.committed();
  return adopted;
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
