// The trash for whoever runs commands: the same for a running instance (jobs on worker threads) and for a folder alone.

import { setImmediate } from "node:timers/promises";
import { invariant } from "../core/assert.ts";
import type { EmptyTrashReport, RestoreOutcome, TrashItem } from "../core/reports.ts";
import type { JobRunner } from "../edge/jobs.ts";
import type { TrashResult } from "./trash-job.ts";

export interface TrashAccess {
  /** The newest first. */
  list(): Promise<readonly TrashItem[]>;
  /** `wanted`: items as the list names them, or paths, which mean the newest item of that path (or below it). */
  restore(wanted: readonly string[]): Promise<readonly RestoreOutcome[]>;
  empty(): Promise<EmptyTrashReport>;
}

/** `root`: the folder's real path. Each call rejects if the trash cannot be read. */
export function trashAccess(jobs: JobRunner, root: string): TrashAccess {
  return {
    list: async () => {
      const items: TrashItem[] = [];
      const { pages } = expectKind(await jobs.run("trash", { root, ask: "list" }), "listed");
      for (const page of pages) {
        items.push(...(JSON.parse(page) as readonly TrashItem[]));
        // Other work gets its turn between pages.
        await setImmediate();
      }
      return items;
    },
    restore: async (wanted) =>
      expectKind(await jobs.run("trash", { root, ask: "restore", wanted }), "restored").restored,
    empty: async () => expectKind(await jobs.run("trash", { root, ask: "empty" }), "emptied").report,
  };
}

function expectKind<Kind extends TrashResult["kind"]>(
  result: TrashResult,
  kind: Kind,
): Extract<TrashResult, { kind: Kind }> {
  invariant(result.kind === kind, `asked the trash for ${kind}, got ${result.kind}`);
  return result as Extract<TrashResult, { kind: Kind }>;
}
