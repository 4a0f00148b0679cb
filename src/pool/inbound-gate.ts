// Who may begin a handshake with us: local addresses, and of each only so many that fail or do not finish.

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

/** Counts handshakes. Each costs its address a token when it begins, which it gets back by succeeding. */
export class InboundGate {
  readonly #clock: Clock;
  readonly #allowRemote: boolean;
  readonly #buckets = new KeyedBuckets({
    capacity: HANDSHAKE_TOKENS_MAX,
    tokensPerMs: 1 / HANDSHAKE_TOKEN_MS,
    keysMax: LIMITED_ADDRESSES_MAX,
  });
  /** Never longer than HANDSHAKES_MAX. */
  readonly #unfinished = new Map<string, number>();
  #unfinishedTotal = 0;

  constructor({ clock, allowRemote }: { readonly clock: Clock; readonly allowRemote: boolean }) {
    this.#clock = clock;
    this.#allowRemote = allowRemote;
  }

  /** Decides on a connection from `host`, before a byte of it is read. */
  admit(host: string): Admission {
    if (!this.#allowRemote && !isLocalAddress(host)) return { kind: "refused", reason: "remote-address" };
    const key = addressKey(host);
    const unfinished = this.#unfinished.get(key) ?? 0;
    const hasRoom = unfinished < HANDSHAKES_PER_ADDRESS_MAX && this.#unfinishedTotal < HANDSHAKES_MAX;
    if (!hasRoom || !this.#buckets.take(key, this.#clock.monotonic())) {
      return { kind: "refused", reason: "too-many-handshakes" };
    }
    this.#unfinished.set(key, unfinished + 1);
    this.#unfinishedTotal++;
    return { kind: "admitted", permit: this.#permit(key) };
  }

  #permit(key: string): Permit {
    return {
      succeeded: () => {
        this.#buckets.giveBack(key, this.#clock.monotonic());
        this.#finish(key);
      },
      failed: () => this.#finish(key),
      misused: () => void this.#buckets.take(key, this.#clock.monotonic()),
    };
  }

  #finish(key: string): void {
    const rest = (this.#unfinished.get(key) ?? 0) - 1;
    if (rest > 0) this.#unfinished.set(key, rest);
    else this.#unfinished.delete(key);
    this.#unfinishedTotal--;
  }
}
