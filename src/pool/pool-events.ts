// What the pool reports, for the log and the status: facts, already throttled.

import type { PeerId } from "../core/ids.ts";
import { REFUSAL_REPORT_MS, REFUSED_PEERS_MAX, REFUSED_PEERS_NAMED_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { ChannelEnd } from "./channel.ts";
import type { PeerInfo } from "./session.ts";

/** Why somebody was not let in, or was not joined. */
export type RefusalReason =
  | "remote-address" // not local, and `--allow-remote` is off
  | "too-many-handshakes" // failed or unfinished ones, from one address or in all
  | "too-many-sessions"
  | "handshake" // failed for another reason than the next three
  | "version"
  | "passphrase"
  | "wrong-peer" // another identity than discovery announced
  | "other-share";

/** `host`, `port`: where it came from, or where it was dialled. Names and texts chosen by a peer are not escaped. */
export type PoolEvent =
  /** `verification`: see `Channel`; its control channel's. */
  | { readonly type: "session-opened"; readonly peer: PeerInfo; readonly verification: Uint8Array }
  | { readonly type: "session-ended"; readonly peer: PeerInfo; readonly end: ChannelEnd }
  | {
      readonly type: "refused";
      readonly reason: RefusalReason;
      readonly host: string;
      readonly port: number;
      /** For a person. */
      readonly detail: string;
      /** How many there were of this kind since the last such event, this one included. */
      readonly count: number;
    }
  | { readonly type: "dial-failed"; readonly host: string; readonly port: number; readonly detail: string };

export type RefusedEvent = Extract<PoolEvent, { type: "refused" }>;

/**
 * Lets one refusal of each kind through per minute, and one per peer of those that name a peer: ever, or per minute.
 * Of the latter two, a few per minute in all.
 */
export class RefusalReports {
  readonly #clock: Clock;
  readonly #emit: (event: RefusedEvent) => void;
  readonly #byReason = new Map<RefusalReason, { reportedAtMs: number; held: number }>();
  /** In order of arrival. */
  readonly #peers = new Set<string>();
  /** When each was reported last, in order of that. */
  readonly #reportedAtMs = new Map<string, number>();
  #named = { sinceMs: -Infinity, count: 0 };

  constructor(clock: Clock, emit: (event: RefusedEvent) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Anybody can cause these, as often as they like. */
  report(refusal: Omit<RefusedEvent, "type" | "count">): void {
    const nowMs = this.#clock.monotonic();
    const last = this.#byReason.get(refusal.reason);
    if (last !== undefined && nowMs - last.reportedAtMs < REFUSAL_REPORT_MS) {
      last.held++;
      return;
    }
    this.#byReason.set(refusal.reason, { reportedAtMs: nowMs, held: 0 });
    this.#emit({ type: "refused", ...refusal, count: (last?.held ?? 0) + 1 });
  }

  /** `peer`: who it is, by peer ID or, where that is not known, by address. */
  reportOnce(peer: PeerId | string, refusal: Omit<RefusedEvent, "type" | "count">): void {
    const key = `${refusal.reason} ${peer}`;
    if (this.#peers.has(key)) return;
    this.#peers.add(key);
    if (this.#peers.size > REFUSED_PEERS_MAX) {
      const [oldest] = this.#peers;
      if (oldest !== undefined) this.#peers.delete(oldest);
    }
    this.#reportNamed(refusal);
  }

  /** For what stays wrong until a person does something: said again each minute that it comes up. `key`: what and who. */
  reportEachMinute(key: string, refusal: Omit<RefusedEvent, "type" | "count">): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - (this.#reportedAtMs.get(key) ?? -Infinity) < REFUSAL_REPORT_MS) return;
    this.#reportedAtMs.delete(key);
    this.#reportedAtMs.set(key, nowMs);
    if (this.#reportedAtMs.size > REFUSED_PEERS_MAX) {
      const [oldest] = this.#reportedAtMs.keys();
      if (oldest !== undefined) this.#reportedAtMs.delete(oldest);
    }
    this.#reportNamed(refusal);
  }

  #reportNamed(refusal: Omit<RefusedEvent, "type" | "count">): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#named.sinceMs >= REFUSAL_REPORT_MS) this.#named = { sinceMs: nowMs, count: 0 };
    // A new identity costs nothing.
    if (this.#named.count++ >= REFUSED_PEERS_NAMED_MAX) return this.report(refusal);
    this.#emit({ type: "refused", ...refusal, count: 1 });
  }
}
