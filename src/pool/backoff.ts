// How long to wait before trying again: exponential, with full jitter, and quick at first. Pure.

import { FIRST_REDIAL_MS_MAX, REDIAL_MS_MAX, REDIAL_MS_MIN } from "../core/limits.ts";

/**
 * The wait in ms after `failures` failures in a row (0: something that worked has just ended). `fraction`: uniform in
 * [0, 1). All of the wait is random, so that peers that lost each other at once do not come back in step.
 */
export function retryDelayMs(failures: number, fraction: number): number {
  return fraction * retryDelayMsMax(failures);
}

/** The longest that {@link retryDelayMs} can be. */
export function retryDelayMsMax(failures: number): number {
  if (failures <= 0) return FIRST_REDIAL_MS_MAX;
  return Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** (failures - 1));
}
