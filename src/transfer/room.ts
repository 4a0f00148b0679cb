// The `room` job, and waiting for room on a disk that was full.

import { DISK_FULL_POLL_MS, DISK_FULL_POLLS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { JobContext } from "../edge/job-context.ts";
import type { JobRunner } from "../edge/jobs.ts";

export interface RoomRequest {
  /** Absolute disk path of the folder. */
  readonly root: string;
}

export interface RoomResult {
  readonly freeBytes: number;
}

export function roomOf({ fs }: JobContext, { root }: RoomRequest): RoomResult {
  try {
    return { freeBytes: fs.freeBytes(root) };
  } catch {
    // Whatever is wrong with the folder shows elsewhere.
    return { freeBytes: 0 };
  }
}

export interface WaitForRoomOptions {
  readonly jobs: JobRunner;
  readonly clock: Clock;
  /** Absolute disk path of the folder. */
  readonly root: string;
  readonly isStopped: () => boolean;
}

/**
 * Resolves when the disk has more room than it has now; after a minute in any case, since the room that a quota leaves
 * cannot be seen. Never rejects; does not resolve once it is stopped.
 */
export async function waitForRoom(options: WaitForRoomOptions): Promise<void> {
  const { clock, isStopped } = options;
  const atFirst = await freeBytes(options);
  for (let poll = 0; poll < DISK_FULL_POLLS_MAX; poll++) {
    await new Promise<void>((resolve) => void clock.after(DISK_FULL_POLL_MS, resolve));
    if (isStopped()) return new Promise<never>(() => {});
    if ((await freeBytes(options)) > atFirst) return;
  }
}

/** 0 if the job is lost. */
function freeBytes({ jobs, root }: WaitForRoomOptions): Promise<number> {
  return jobs.run("room", { root }).then(
    (result) => result.freeBytes,
    () => 0,
  );
}
