// Notices that nothing comes from a peer any more, by looking now and then whether bytes arrived.
//
// Silence is counted in checks, not in time: after the process was suspended or its event loop stalled, one check is late,
// and what waits in the socket is read before the next.

import { KEEP_ALIVE_CHECK_MS, KEEP_ALIVE_CHECKS_MAX, KEEP_ALIVE_PING_CHECKS, PROBE_MS_MAX } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";

/** What is watched. */
export interface Watched {
  readonly bytesReceived: number;
  /** True while we do not read: then silence says nothing. */
  readonly isPaused: boolean;
  ping(): void;
}

/** Watches one channel until it is stopped, or silent for too long. */
export class KeepAlive {
  readonly #watched: Watched;
  readonly #clock: Clock;
  readonly #onSilent: () => void;
  #bytesSeen: number;
  #silentChecks = 0;
  #timer: Timer;
  #probe: Timer | undefined;
  #isStopped = false;

  /** `onSilent` is called at most once. */
  constructor(options: { readonly watched: Watched; readonly clock: Clock; readonly onSilent: () => void }) {
    this.#watched = options.watched;
    this.#clock = options.clock;
    this.#onSilent = options.onSilent;
    this.#bytesSeen = options.watched.bytesReceived;
    this.#timer = this.#clock.after(KEEP_ALIVE_CHECK_MS, () => this.#check());
  }

  /** Asks for a sign of life soon: there is reason to think that the peer has given this channel up. */
  probe(): void {
    if (this.#isStopped || this.#probe !== undefined) return;
    const bytesBefore = this.#watched.bytesReceived;
    this.#watched.ping();
    this.#probe = this.#clock.after(PROBE_MS_MAX, () => {
      this.#probe = undefined;
      if (this.#watched.bytesReceived === bytesBefore && !this.#watched.isPaused) this.#giveUp();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.clear();
    this.#probe?.clear();
  }

  #check(): void {
    const { bytesReceived, isPaused } = this.#watched;
    this.#silentChecks = bytesReceived === this.#bytesSeen ? this.#silentChecks + 1 : 0;
    this.#bytesSeen = bytesReceived;
    // While we do not read, pings tell the peer that we are there, and none of the checks counts against it.
    if (isPaused) this.#silentChecks = KEEP_ALIVE_PING_CHECKS;
    if (this.#silentChecks >= KEEP_ALIVE_CHECKS_MAX) return this.#giveUp();
    if (this.#silentChecks > 0 && this.#silentChecks % KEEP_ALIVE_PING_CHECKS === 0) this.#watched.ping();
    this.#timer = this.#clock.after(KEEP_ALIVE_CHECK_MS, () => this.#check());
  }

  #giveUp(): void {
    this.stop();
    this.#onSilent();
  }
}
