// What the folder's disk keeps, remembered: while it is full or read-only, nothing can be tried on it.

import type { IndexStore } from "../index/index-store.ts";
import type { DiskTraits } from "../transfer/probe-job.ts";

const META_NAME = "disk";
const KEEPS_MODES = 1;
const HAS_COARSE_TIMES = 2;

/** The careful view: a mode is what people chose, and equal times prove nothing. */
const NEVER_TRIED: DiskTraits = { keepsModes: true, hasCoarseTimes: true };

/** `probed`: what a trial has just shown; `undefined`: nothing could be tried, and what the last one showed counts. */
export function traitsOf(store: Pick<IndexStore, "getMeta" | "putMeta">, probed: DiskTraits | undefined): DiskTraits {
  const flags = store.getMeta(META_NAME)?.[0];
  if (probed === undefined) {
    if (flags === undefined) return NEVER_TRIED;
    return { keepsModes: (flags & KEEPS_MODES) !== 0, hasCoarseTimes: (flags & HAS_COARSE_TIMES) !== 0 };
  }
  const found = (probed.keepsModes ? KEEPS_MODES : 0) | (probed.hasCoarseTimes ? HAS_COARSE_TIMES : 0);
  if (found !== flags) store.putMeta(META_NAME, Uint8Array.of(found));
  return probed;
}
