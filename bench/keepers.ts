// Other programs that keep folders the same by themselves, with the changes that dsync is measured with: in folders of their
// own, before dsync runs. Each change is made few times, because they take seconds for it.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Named, Times } from "./contest.ts";
import { completenessOf } from "./data.ts";
import { until } from "./measure.ts";
import type { Keeping } from "./peers/peer.ts";
import type { Setting } from "./row.ts";

const FIRST_SYNC_MS_MAX = 120_000;
const CHANGE_MS_MAX = 60_000;
/** What follows a sync is over by then. */
const SETTLE_MS = 2_000;
/** At random beside that, so that nothing is in step with a timer. */
const SPREAD_MS = 2_000;

interface Changes {
  readonly case: string;
  readonly what: string;
  readonly times: number;
  /** Before the first sync. */
  readonly fill: (here: string) => void;
  /** The clock runs when it is over. */
  readonly change: (here: string, index: number) => void | Promise<void>;
  readonly isSeen: (folders: Folders, index: number) => boolean;
}

interface Folders {
  readonly here: string;
  readonly there: string;
}

/** Milliseconds of each change. Who fails, or takes too long, is left out. */
export async function measureKeepers({ peers, scratch, leaveOut }: Setting, changes: Changes): Promise<Times> {
  const times = new Map<Named, readonly number[]>();
  for (const { against, keeping } of peers) {
    if (keeping === undefined) continue;
    const label = `${keeping.label} (${changes.times === 1 ? "once" : `${changes.times} times`})`;
    try {
      times.set({ label, against }, await measure(keeping, scratch, changes));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      leaveOut({ case: changes.case, what: `${changes.what}, ${label}`, why });
    }
  }
  return times;
}

async function measure(keeping: Keeping, scratch: string, changes: Changes): Promise<readonly number[]> {
  const base = join(scratch, "kept");
  const folders = { here: join(base, "here"), there: join(base, "there") };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  try {
    changes.fill(folders.here);
    const keeper = await keeping.start({ ...folders, scratch: base });
    try {
      await until(completenessOf(folders.here)(folders.there), 50, FIRST_SYNC_MS_MAX);
      const times: number[] = [];
      for (let index = 0; index < changes.times; index++) {
        await sleep(SETTLE_MS + Math.random() * SPREAD_MS);
        await changes.change(folders.here, index);
        const changedMs = performance.now();
        await until(() => changes.isSeen(folders, index), 5, CHANGE_MS_MAX);
        times.push(performance.now() - changedMs);
      }
      return times;
    } finally {
      await keeper.stop();
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
