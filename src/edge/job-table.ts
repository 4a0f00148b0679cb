// Which function does which job.

import { hashFiles } from "../content/hash-job.ts";
import { hashPart } from "../content/hash-part-job.ts";
import { applyOperations } from "../transfer/apply-job.ts";
import { flush } from "../transfer/flush-job.ts";
import { probe } from "../transfer/probe-job.ts";
import { readChunks } from "../transfer/read-job.ts";
import { roomOf } from "../transfer/room.ts";
import { stageChunks } from "../transfer/stage-job.ts";
import { sweep, sweepLeftovers, unstage } from "../transfer/sweep-job.ts";
import { useTrash } from "../transfer/trash-job.ts";
import { lookAtPaths, scanDirectories } from "../watch/scan-job.ts";
import type { JobContext } from "./job-context.ts";
import type { JobName, Jobs } from "./jobs.ts";

type JobTable = {
  readonly [Name in JobName]: (context: JobContext, request: Jobs[Name]["request"]) => Jobs[Name]["result"];
};

const JOB_TABLE: JobTable = {
  scan: ({ fs }, request) => scanDirectories(fs, request),
  look: ({ fs }, request) => lookAtPaths(fs, request),
  hash: ({ fs, blake3 }, request) => hashFiles(fs, blake3, request),
  hashPart: ({ fs, blake3 }, request) => hashPart(fs, blake3, request),
  read: readChunks,
  stage: stageChunks,
  apply: applyOperations,
  flush,
  sweep,
  leftovers: sweepLeftovers,
  trash: useTrash,
  unstage,
  probe,
  room: roomOf,
};

/** Does one job, here and now. */
export function runJob<Name extends JobName>(
  context: JobContext,
  name: Name,
  request: Jobs[Name]["request"],
): Jobs[Name]["result"] {
  return JOB_TABLE[name](context, request);
}
