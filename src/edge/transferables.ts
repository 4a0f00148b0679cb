// The memory in a job's result that moves to the main thread instead of being copied.

import type { JobName, Jobs } from "./jobs.ts";

/** Copying less than this is cheaper than moving it. */
const TRANSFER_BYTES_MIN = 4 * 1024;

/** The buffers of `result` that nothing in the worker uses any more. */
export function transferablesOf(result: Jobs[JobName]["result"]): ArrayBuffer[] {
  if ("buffer" in result) return isWorthMoving(result.buffer) ? [result.buffer.buffer] : [];
  const buffers = new Set<ArrayBuffer>();
  if ("outcomes" in result) {
    for (const outcome of result.outcomes) {
      if (!("manifest" in outcome)) continue;
      if (isWorthMoving(outcome.manifest)) buffers.add(outcome.manifest.buffer);
      if (isWorthMoving(outcome.inline)) buffers.add(outcome.inline.buffer);
    }
  }
  return [...buffers];
}

/** Only memory that a view has for itself may move: Node's small Buffers share theirs. */
function isWorthMoving(bytes: Uint8Array | undefined): bytes is Uint8Array<ArrayBuffer> {
  return (
    bytes !== undefined &&
    bytes.length >= TRANSFER_BYTES_MIN &&
    bytes.buffer instanceof ArrayBuffer &&
    bytes.buffer.byteLength === bytes.length
  );
}
