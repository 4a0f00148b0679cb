// How fast bytes move: rates over the last moments.

import type { Clock } from "../edge/clock.ts";
import type { Traffic } from "../edge/counting-network.ts";

/** Long enough to be steady, short enough to follow. */
const WINDOW_MS = 2_000;

export class ProgressMeter {
  readonly #clock: Clock;
  readonly #traffic: () => Traffic;
  #samples: { readonly atMs: number; readonly traffic: Traffic }[] = [];

  constructor(clock: Clock, traffic: () => Traffic) {
    this.#clock = clock;
    this.#traffic = traffic;
  }

  /** Takes a sample and compares it with the oldest in the window. */
  rates(): { readonly receivedBytesPerSecond: number; readonly sentBytesPerSecond: number } {
    const atMs = this.#clock.monotonic();
    const traffic = this.#traffic();
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS);
    const oldest = this.#samples[0] ?? { atMs, traffic };
    this.#samples.push({ atMs, traffic });
    const seconds = Math.max((atMs - oldest.atMs) / 1000, 0.001);
    return {
      receivedBytesPerSecond: Math.round((traffic.receivedBytes - oldest.traffic.receivedBytes) / seconds),
      sentBytesPerSecond: Math.round((traffic.sentBytes - oldest.traffic.sentBytes) / seconds),
    };
  }
}
