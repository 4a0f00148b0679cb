// Waiting for conditions, with a deadline and a useful message when it passes.

import { setTimeout as sleep } from "node:timers/promises";

/** Far more than anything here takes: a busy machine is no failure, and what happens at once does not wait for it. */
export const DEADLINE_MS = 120_000;

export interface WaitOptions {
  /** What is waited for, for the message. */
  readonly until: string;
  /** `DEADLINE_MS` by default. */
  readonly deadlineMs?: number;
  readonly intervalMs?: number;
  /** Looking takes a while itself: the pause is then as long, so that half of the time is left to what is waited for. */
  readonly isCostly?: boolean;
}

/** Asks again and again until `condition` gives something; throws at the deadline with its last reason. */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { until, deadlineMs = DEADLINE_MS, intervalMs = 20, isCostly = false }: WaitOptions,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  let lastError: unknown;
  for (;;) {
    const startMs = performance.now();
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > end) {
      throw new Error(`Waited ${deadlineMs} ms in vain for: ${until}`, { cause: lastError });
    }
    await sleep(isCostly ? Math.max(intervalMs, performance.now() - startMs) : intervalMs);
  }
}
