// What an instance does at its start if the run before was not stopped: before anything looks at the folder or is heard from
// peers, the index is put right about what that run did last.

import type { DsyncEvent } from "../core/events.ts";
import { escapeForTerminal } from "../core/escape.ts";
import type { RelativePath } from "../core/path.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { IndexStore } from "../index/index-store.ts";
import type { DiskTraits } from "../transfer/probe-job.ts";
import { trashBatchName } from "../transfer/trash.ts";
import { Spelling } from "../watch/spelling.ts";
import { adoptPlaced } from "./adopt-placed.ts";
import { findInTrash } from "./find-in-trash.ts";
import type { OpenFolder } from "./open-folder.ts";
import { verifyMarked } from "./verify-marked.ts";

export interface RecoverOptions {
  readonly folder: OpenFolder;
  readonly jobs: JobRunner;
  readonly clock: Clock;
  /** Friendly name of this instance. */
  readonly author: string;
  readonly emit: (event: DsyncEvent) => void;
}

/** Damaged paths that are named; the rest is counted. */
const DAMAGED_SHOWN_MAX = 5;

/** What a power loss damaged must not be taken for edits. */
export async function recoverFromPowerLoss({ folder, jobs, clock, author, emit }: RecoverOptions): Promise<void> {
  const { store, identity } = folder;
  const trashBatch = trashBatchName(clock.now());
  const toDisk = spellingOf(store);
  const { checked, damaged, undone } = await verifyMarked({ store, jobs, identity, toDisk, trashBatch, author, clock });
  if (checked > 0) {
    const message = `After a restart of the machine ${checked} paths were checked, and ${undone.length} are done again`;
    emit({ kind: "debug", message });
  }
  if (damaged.length === 0) return;
  const shown = damaged.slice(0, DAMAGED_SHOWN_MAX).map((path) => escapeForTerminal(path));
  const more = damaged.length > shown.length ? ", …" : "";
  emit({
    kind: "warning",
    message:
      `The machine stopped before everything was on its disk: ${damaged.length} damaged or missing files are fetched ` +
      `again (${shown.join(", ")}${more}). What was found in their places is in .dsync/trash/${trashBatch}.`,
  });
}

/** What was done in the last moments, and the index did not get to keep, must not be taken for a person's. */
export async function recoverFromKill(
  { folder, jobs, clock, emit }: RecoverOptions,
  { keepsModes }: DiskTraits,
): Promise<void> {
  const { store, identity } = folder;
  const adopted = await adoptPlaced({ store, jobs, clock, identity, toDisk: spellingOf(store), keepsModes });
  const found = await findInTrash({ store, jobs, clock, identity });
  if (adopted.length + found === 0) return;
  const message = `After a kill ${adopted.length} paths were found to be in place already, and ${found} contents in the trash`;
  emit({ kind: "debug", message });
}

/** How paths are spelt on this disk, as far as the run before found out. */
function spellingOf(store: IndexStore): (path: RelativePath) => string {
  const spelling = new Spelling(store);
  return (path) => spelling.toDisk(path);
}
