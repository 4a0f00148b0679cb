// Who may begin a handshake with us: local addresses, and of each only so many that fail or do not finish. When there
// are as many as there may be in all, the address with the most gives way to one that has fewer: so whoever takes all
// the room has taken it from nobody but itself. What strangers may begin is bounded in all, too, but never takes from
// addresses that have finished a handshake; and those that keep failing do not take from those that come anew.

import {
  HANDSHAKE_TOKEN_MS,
  HANDSHAKE_TOKENS_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_ADDRESS_MAX,
  KNOWN_STRANGERS_TOKEN_MS,
  LIMITED_ADDRESSES_MAX,
  NEW_STRANGERS_TOKEN_MS,
  STRANGERS_TOKENS_MAX,
} from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import { addressKey, isLocalAddress } from "./address.ts";
import { KeyedBuckets, TokenBucket } from "./token-bucket.ts";

/** Leave to make one handshake. Settle it exactly once; until then it counts as unfinished. */
export interface Permit {
  succeeded(): void;
  failed(): void;
  /** After `succeeded`: whoever was let in broke the protocol or left at once, which costs as much as a failed handshake. */
  misused(): void;
}

export type Admission =
  | { readonly kind: "admitted"; readonly permit: Permit }
  | { readonly kind: "refused"; readonly reason: "remote-address" | "too-many-handshakes" };

/** A handshake that is under way. */
interface Unfinished {
  readonly key: string;
  readonly giveWay: () => void;
}

/** Counts handshakes. Each costs its address a token when it begins, which it gets back by succeeding. */
export class InboundGate {
  readonly #clock: Clock;
  readonly #allowRemote: boolean;
  readonly #buckets = new KeyedBuckets({
    capacity: HANDSHAKE_TOKENS_MAX,
    tokensPerMs: 1 / HANDSHAKE_TOKEN_MS,
    keysMax: LIMITED_ADDRESSES_MAX,
  });
  /** For addresses without anything failed or unfinished, and for the others. */
  readonly #newStrangers: TokenBucket;
  readonly #knownStrangers: TokenBucket;
  /** Addresses that have finished a handshake and not misused it, in the order of the last time. */
  readonly #friends = new Set<string>();
  /** In the order of their arrival; at most HANDSHAKES_MAX. */
  readonly #unfinished = new Set<Unfinished>();
  /** How many of them each address has. */
  readonly #counts = new Map<string, number>();

  constructor({ clock, allowRemote }: { readonly clock: Clock; readonly allowRemote: boolean }) {
    this.#clock = clock;
    this.#allowRemote = allowRemote;
    const nowMs = clock.monotonic();
    const strangers = (tokenMs: number): TokenBucket =>
      new TokenBucket({ capacity: STRANGERS_TOKENS_MAX, tokensPerMs: 1 / tokenMs, nowMs });
    this.#newStrangers = strangers(NEW_STRANGERS_TOKEN_MS);
    this.#knownStrangers = strangers(KNOWN_STRANGERS_TOKEN_MS);
  }

  /** Decides on a connection from `host`, before a byte of it is read. `giveWay` ends it, whatever state it is in. */
  admit(host: string, giveWay: () => void): Admission {
    if (!this.#allowRemote && !isLocalAddress(host)) return { kind: "refused", reason: "remote-address" };
    const key = addressKey(host);
    const ofAddress = this.#counts.get(key) ?? 0;
    const isFull = this.#unfinished.size >= HANDSHAKES_MAX;
    const displaced = isFull ? this.#oldestOfGreedier(ofAddress) : undefined;
    const hasRoom = ofAddress < HANDSHAKES_PER_ADDRESS_MAX && (!isFull || displaced !== undefined);
    const nowMs = this.#clock.monotonic();
    const shared = this.#sharedBucket(key, nowMs);
    const isShareLeft = shared === undefined || shared.tokens(nowMs) >= 1;
    if (!hasRoom || !isShareLeft || !this.#buckets.take(key, nowMs)) {
      return { kind: "refused", reason: "too-many-handshakes" };
    }
    shared?.spend(1, nowMs);
    if (displaced !== undefined) {
      this.#finish(displaced);
      displaced.giveWay();
    }
    const unfinished: Unfinished = { key, giveWay };
    this.#unfinished.add(unfinished);
    this.#counts.set(key, ofAddress + 1);
    return { kind: "admitted", permit: this.#permit(unfinished, shared) };
  }

  /** What a handshake from there is paid from beside the address's own bucket; `undefined`: nothing. */
  #sharedBucket(key: string, nowMs: number): TokenBucket | undefined {
    if (this.#friends.has(key)) return undefined;
    return this.#buckets.isFull(key, nowMs) ? this.#newStrangers : this.#knownStrangers;
  }

  /** The oldest handshake of those addresses that have the most, if that is more than `count`. */
  #oldestOfGreedier(count: number): Unfinished | undefined {
    const most = Math.max(...this.#counts.values());
    if (most <= count) return undefined;
    for (const unfinished of this.#unfinished) if (this.#counts.get(unfinished.key) === most) return unfinished;
    return undefined;
  }

  #permit(unfinished: Unfinished, shared: TokenBucket | undefined): Permit {
    const { key } = unfinished;
    return {
      succeeded: () => {
        const nowMs = this.#clock.monotonic();
        this.#buckets.giveBack(key, nowMs);
        shared?.spend(-1, nowMs);
        this.#befriend(key);
        this.#finish(unfinished);
      },
      failed: () => this.#finish(unfinished),
      misused: () => {
        this.#friends.delete(key);
        this.#buckets.take(key, this.#clock.monotonic());
      },
    };
  }

  #befriend(key: string): void {
    this.#friends.delete(key);
    this.#friends.add(key);
    const [oldest] = this.#friends;
    if (this.#friends.size > LIMITED_ADDRESSES_MAX && oldest !== undefined) this.#friends.delete(oldest);
  }

  /** One that has given way is finished already. */
  #finish(unfinished: Unfinished): void {
    if (!this.#unfinished.delete(unfinished)) return;
    const { key } = unfinished;
    const rest = (this.#counts.get(key) ?? 0) - 1;
    if (rest > 0) this.#counts.set(key, rest);
    else this.#counts.delete(key);
  }
}
