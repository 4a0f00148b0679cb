// After a kill or a power loss: what is wanted may be in the trash, where it was put in the last moments, and only the index
// did not get to keep that. It may be nowhere else: whoever made it has replaced it since.

import type { ContentHash } from "../core/ids.ts";
import { HASH_FILES_MAX, TRASH_SEARCHED_MAX } from "../core/limits.ts";
import { pagesOf } from "../core/pages.ts";
import type { TrashItem } from "../core/reports.ts";
import type { RecordStore } from "../index/record-store.ts";
import { isSettled } from "../index/settle.ts";
import { isUnclean } from "../index/store-state.ts";
import { TRASH_DIRECTORY } from "../transfer/disk-layout.ts";
import { lookPatiently, patiently, type LookOptions } from "./look-patiently.ts";

export interface FindOptions extends LookOptions {
  readonly store: RecordStore;
}

/** Notes where in the trash contents are that are pending, if their sizes say that they may be there. Returns how many are. */
export async function findInTrash(options: FindOptions): Promise<number> {
  const { store } = options;
  if (!isUnclean(store.previousStop)) return 0;
  const wanted = wantedContents(store);
  if (wanted.size === 0) return 0;
  const sizes = new Set(wanted.values());
  const items = (await listTrash(options)).filter(({ kind, size }) => kind === "file" && sizes.has(size));
  const diskPaths = items.slice(0, TRASH_SEARCHED_MAX).map(({ item }) => `${TRASH_DIRECTORY}/${item}`);
  let found = 0;
  for (const paths of pagesOf(diskPaths, HASH_FILES_MAX)) {
    const contents = (await lookPatiently(options, paths, () => true)) ?? [];
    for (const [index, there] of contents.entries()) {
      const content = there.kind === "there" ? there.content : undefined;
      if (content?.kind !== "file" || !wanted.has(content.contentId)) continue;
      store.putTrashLocation(content.contentId, paths[index] ?? "");
      found++;
    }
  }
  if (found > 0) await store.committed();
  return found;
}

/** Contents that are pending and that may be nowhere else, with their sizes in bytes. */
function wantedContents(store: RecordStore): ReadonlyMap<ContentHash, number> {
  const wanted = new Map<ContentHash, number>();
  for (const path of store.pending()) {
    const content = store.get(path)?.known.live?.content;
    if (content?.kind === "file" && !isHeld(store, content.contentId)) wanted.set(content.contentId, content.size);
  }
  return wanted;
}

/** A path that is pending may have given its content to the trash already. */
function isHeld(store: RecordStore, contentId: ContentHash): boolean {
  for (const location of store.locationsOf(contentId)) {
    const record = location.kind === "tree" ? store.get(location.path) : undefined;
    if (record === undefined || isSettled(record)) return true;
  }
  return false;
}

/** The newest first; nothing if the trash cannot be read. */
async function listTrash(options: FindOptions): Promise<readonly TrashItem[]> {
  const { jobs, identity } = options;
  const list = async (): Promise<readonly (readonly TrashItem[] | undefined)[]> => {
    try {
      const result = await jobs.run("trash", { root: identity.root, ask: "list" });
      return [result.kind === "listed" ? result.pages.flatMap((page) => JSON.parse(page) as TrashItem[]) : []];
    } catch {
      return [undefined];
    }
  };
  const [items] = (await patiently(options, [TRASH_DIRECTORY], list, (listed) => listed === undefined)) ?? [];
  return items ?? [];
}
