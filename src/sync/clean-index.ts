// Forgets what the index still says of content that is nowhere any more: places in a trash that was emptied, manifests of
// files that were replaced or deleted. Without this the index would grow with every change for ever.
//
// Everything here can be found out again, so nothing depends on it: a manifest is asked for, a chunk is fetched.

import { CLEAN_ROWS, ROUND_PATHS_MAX } from "../core/limits.ts";
import type { ContentHash } from "../core/ids.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { IndexStore, LocationRow } from "../index/index-store.ts";
import type { RootIdentity } from "../edge/root-identity.ts";

export interface CleanIndexOptions {
  readonly store: IndexStore;
  readonly jobs: JobRunner;
  readonly identity: RootIdentity;
  /** Contents that are to come: their manifests stay. */
  readonly wanted: ReadonlySet<ContentHash>;
  /** Lets other work have its turn; false: dsync is stopping. */
  readonly nextTurn: () => Promise<boolean>;
}

export interface CleanIndexReport {
  readonly locations: number;
  readonly manifests: number;
}

/** Rejects if a job is lost: then the rest is left for another time. */
export async function cleanIndex(options: CleanIndexOptions): Promise<CleanIndexReport> {
  const locations = await cleanLocations(options);
  // After the places, since a content that is in no place needs no manifest.
  return { locations, manifests: await cleanManifests(options) };
}

async function cleanLocations({ store, jobs, identity, nextTurn }: CleanIndexOptions): Promise<number> {
  let removed = 0;
  let rows = 0;
  let asked: LocationRow[] = [];
  const check = async (): Promise<void> => {
    const paths = asked.map(({ inTrash = "" }) => inTrash);
    const looked = await jobs.run("look", { identity, paths });
    // Not the folder that it was: nothing is concluded.
    const gone = looked.kind === "looked" ? asked.filter((_, index) => looked.items[index] === undefined) : [];
    for (const row of gone) store.removeLocation(row);
    removed += gone.length;
    asked = [];
  };
  for (const row of store.locations()) {
    if (row.inTrash !== undefined) asked.push(row);
    if (asked.length >= ROUND_PATHS_MAX) await check();
    if (++rows % CLEAN_ROWS === 0 && !(await nextTurn())) return removed;
  }
  if (asked.length > 0) await check();
  return removed;
}

async function cleanManifests({ store, wanted, nextTurn }: CleanIndexOptions): Promise<number> {
  let removed = 0;
  let rows = 0;
  for (const contentId of store.manifestIds()) {
    if (!wanted.has(contentId) && !store.isHeld(contentId)) {
      store.removeManifest(contentId);
      removed++;
    }
    if (++rows % CLEAN_ROWS === 0 && !(await nextTurn())) return removed;
  }
  return removed;
}
