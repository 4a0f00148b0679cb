// Who may begin a handshake with us: local addresses, and of each only so many that fail or do not finish. When there
// are as many as there may be in all, the address with the most gives way to one that has fewer: so whoever takes all
// the room has taken it from nobody but itself.

import {
  HANDSHAKE_TOKEN_MS,
  HANDSHAKE_TOKENS_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_ADDRESS_MAX,
  LIMITED_ADDRESSES_MAX,
} from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import { addressKey, isLocalAddress } from "./address.ts";
import { KeyedBuckets } from "./token-bucket.ts";

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
  /** In the order of their arrival; at most HANDSHAKES_MAX. */
  readonly #unfinished = new Set<Unfinished>();
  /** How many of them each address has. */
  readonly #counts = new Map<string, number>();

  constructor({ clock, allowRemote }: { readonly clock: Clock; readonly allowRemote: boolean }) {
    this.#clock = clock;
    this.#allowRemote = allowRemote;
  }

  /** Decides on a connection from `host`, before a byte of it is read. `giveWay` ends it, whatever state it is in. */
  admit(host: string, giveWay: () => void): Admission {
    if (!this.#allowRemote && !isLocalAddress(host)) return { kind: "refused", reason: "remote-address" };
    const key = addressKey(host);
    const ofAddress = this.#counts.get(key) ?? 0;
    const isFull = this.#unfinished.size >= HANDSHAKES_MAX;
    const displaced = isFull ? this.#oldestOfGreedier(ofAddress) : undefined;
    const hasRoom = ofAddress < HANDSHAKES_PER_ADDRESS_MAX && (!isFull || displaced !== undefined);
    if (!hasRoom || !this.#buckets.take(key, this.#clock.monotonic())) {
      return { kind: "refused", reason: "too-many-handshakes" };
    }
    if (displaced !== undefined) {
      this.#finish(displaced);
      displaced.giveWay();
    }
    const unfinished: Unfinished = { key, giveWay };
    this.#unfinished.add(unfinished);
    this.#counts.set(key, ofAddress + 1);
    return { kind: "admitted", permit: this.#permit(unfinished) };
  }

  /** The oldest handshake of those addresses that have the most, if that is more than `count`. */
  #oldestOfGreedier(count: number): Unfinished | undefined {
    const most = Math.max(...this.#counts.values());
    if (most <= count) return undefined;
    for (const unfinished of this.#unfinished) if (this.#counts.get(unfinished.key) === most) return unfinished;
    return undefined;
  }

  #permit(unfinished: Unfinished): Permit {
    const { key } = unfinished;
    return {
      succeeded: () => {
        this.#buckets.giveBack(key, this.#clock.monotonic());
        this.#finish(unfinished);
      },
      failed: () => this.#finish(unfinished),
      misused: () => void this.#buckets.take(key, this.#clock.monotonic()),
    };
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
