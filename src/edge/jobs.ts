// Work that does not run on the main thread: walking, hashing, reading, staging and applying files.
// Each job is a synchronous function over a FileSystem; a runner decides where it runs.

import type { HashRequest, HashResult } from "../content/hash-job.ts";
import type { HashPartRequest, HashPartResult } from "../content/hash-part-job.ts";
import type { LookRequest, LookResult, ScanRequest, ScanResult } from "../watch/scan-job.ts";
import type { ProbeRequest, ProbeResult } from "../transfer/probe-job.ts";
import type { ReadRequest, ReadResult } from "../transfer/read-job.ts";
import type { RoomRequest, RoomResult } from "../transfer/room.ts";
import type { StageRequest, StageResult } from "../transfer/stage-job.ts";
import type { FlushRequest, FlushResult } from "../transfer/flush-job.ts";
import type {
  LeftoversRequest,
  LeftoversResult,
  SweepRequest,
  SweepResult,
  UnstageRequest,
  UnstageResult,
} from "../transfer/sweep-job.ts";
import type { TrashRequest, TrashResult } from "../transfer/trash-job.ts";
import type { ApplyRequest, ApplyResult } from "../transfer/apply-operation.ts";

/** Every job: what it is asked and what it answers. All values survive a structured clone. */
export interface Jobs {
  /** Lists whole directories. */
  scan: { request: ScanRequest; result: ScanResult };
  /** Stats single paths. */
  look: { request: LookRequest; result: LookResult };
  /** Chunks and hashes files. */
  hash: { request: HashRequest; result: HashResult };
  /** Chunks and hashes a part of a large file. */
  hashPart: { request: HashPartRequest; result: HashPartResult };
  /** Reads, verifies and compresses chunks that a peer asked for. */
  read: { request: ReadRequest; result: ReadResult };
  /** Writes chunks into staging, or copies them there from local files. */
  stage: { request: StageRequest; result: StageResult };
  /** Puts staged content, directories, symlinks, renames and deletions in place. */
  apply: { request: ApplyRequest; result: ApplyResult };
  /** Makes paths durable. */
  flush: { request: FlushRequest; result: FlushResult };
  /** Clears old staging and old trash. */
  sweep: { request: SweepRequest; result: SweepResult };
  /** Clears what a crash left outside `.dsync/`. */
  leftovers: { request: LeftoversRequest; result: LeftoversResult };
  /** What a person asks of the trash. */
  trash: { request: TrashRequest; result: TrashResult };
  /** Clears contents out of staging. */
  unstage: { request: UnstageRequest; result: UnstageResult };
  /** Tries what the disk can keep. */
  probe: { request: ProbeRequest; result: ProbeResult };
  /** Tells how much room the disk has. */
  room: { request: RoomRequest; result: RoomResult };
}

export type JobName = keyof Jobs;

/** Runs jobs, several at a time, in no particular order. */
export interface JobRunner {
  /**
   * `urgent` jobs overtake waiting ones. Buffers in `transfer` move to the job and are unusable afterwards.
   * Rejects only if the job threw, which is a bug or a lost worker: problems with files are values.
   */
  run<Name extends JobName>(
    name: Name,
    request: Jobs[Name]["request"],
    options?: { readonly urgent?: boolean; readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<Jobs[Name]["result"]>;
  /** Waits for running jobs, then stops. */
  close(): Promise<void>;
}
