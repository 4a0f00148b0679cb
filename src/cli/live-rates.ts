// How fast each file on its way moves: over the last seconds, from what each progress event says. Pure.

import type { TransferProgress } from "../core/events.ts";

/** Long enough to be steady, short enough to follow. */
const WINDOW_MS = 5_000;

export interface TransferRate extends TransferProgress {
  readonly samples: readonly { readonly atMs: number; readonly doneBytes: number }[];
}

/** The transfers as they are now, each with what is remembered of it. Those that are over are dropped. */
export function foldRates(
  before: readonly TransferRate[],
  now: readonly TransferProgress[],
  nowMs: number,
): readonly TransferRate[] {
  return now.map((transfer) => {
    const known = before.find(({ path, sizeBytes }) => path === transfer.path && sizeBytes === transfer.sizeBytes);
    const recent = (known?.samples ?? []).filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    return { ...transfer, samples: [...recent, { atMs: nowMs, doneBytes: transfer.doneBytes }] };
  });
}

/** Bytes per second over the window; 0 as long as nothing can be said. */
export function rateOf({ samples }: TransferRate): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
  return (Math.max(0, last.doneBytes - first.doneBytes) * 1000) / (last.atMs - first.atMs);
}
