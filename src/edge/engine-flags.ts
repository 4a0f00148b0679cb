// Flags of V8 that suit what dsync does.

import { versions } from "node:process";
import { setFlagsFromString } from "node:v8";

/**
 * Content passes through as buffers that die young, and V8 counts them as pressure on a heap of some megabytes: it would
 * mark that heap in the background without end. And it would spend more time on optimising code than that saves, since
 * most work is native. See docs/decisions/0008-flags-for-v8.md.
 */
const V8_FLAGS = [
  "--no-incremental-marking",
  "--max-semi-space-size=16",
  "--heap-growing-percent=30",
  // Later engines have no such flag, and would complain on stderr.
  ...(Number.parseInt(versions.node, 10) < 22 ? ["--interrupt-budget=800000"] : []),
];

/** For all threads of this process. */
export function setEngineFlags(): void {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
}
