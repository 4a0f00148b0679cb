// Has a large file read in parts, and waits until it may be reported.

import { hashInParts, type LargeFile, type RunPart } from "../content/hash-in-parts.ts";
import type { HashOutcome } from "../content/hash-job.ts";
import { HASH_PART_MS_MAX } from "../core/limits.ts";
import { quietDelayMs } from "./judge.ts";
import type { RoundContext } from "./round-context.ts";

/**
 * A large file may be read sooner than it has been quiet for long enough. Then that is waited for here: looking at it once
 * more tells that nobody wrote to it, and is nothing against reading it once more.
 */
export async function hashLargeFile(
  { jobs, nowMs, pause }: Pick<RoundContext, "jobs" | "nowMs" | "pause">,
  large: LargeFile,
  options: { readonly urgent: boolean },
): Promise<HashOutcome> {
  let slowestMs = 0;
  const runPart: RunPart = async (request) => {
    const beganMs = nowMs();
    const result = await jobs.run("hashPart", request, options);
    slowestMs = Math.max(slowestMs, nowMs() - beganMs);
    return result;
  };
  const outcome = await hashInParts(runPart, large, { mayUseTwo: () => slowestMs <= HASH_PART_MS_MAX });
  if (outcome.kind !== "hashed") return outcome;
  const { root, file, signature } = large;
  const quietMs = quietDelayMs(signature, nowMs());
  if (quietMs === 0) return outcome;
  await pause(quietMs);
  const nothing = { from: signature.size, to: signature.size, known: undefined };
  const stillThere = await runPart({ root, file, signature, ...nothing });
  return stillThere.kind === "hashed" ? outcome : stillThere;
}
