// Token buckets: how much of something is allowed now, at an average rate with a bound on bursts. Time is an argument.

/** One bucket. It may go below zero (a debt), and then says how long until it is out of it. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #tokensPerMs: number;
  #tokens: number;
  #asOfMs: number;

  /** Starts full. `nowMs`: monotonic, as in every other call. */
  constructor(options: { readonly capacity: number; readonly tokensPerMs: number; readonly nowMs: number }) {
    this.#capacity = options.capacity;
    this.#tokensPerMs = options.tokensPerMs;
    this.#tokens = options.capacity;
    this.#asOfMs = options.nowMs;
  }

  /** What is in it; negative: a debt. */
  tokens(nowMs: number): number {
    const grown = Math.max(0, nowMs - this.#asOfMs) * this.#tokensPerMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + grown);
    this.#asOfMs = Math.max(this.#asOfMs, nowMs);
    return this.#tokens;
  }

  /** Takes `count` out, whether they are there or not. Negative: puts them back, never above the capacity. */
  spend(count: number, nowMs: number): void {
    this.#tokens = Math.min(this.#capacity, this.tokens(nowMs) - count);
  }

  /** How long until at least `count` are in it; 0: now. */
  msUntil(count: number, nowMs: number): number {
    const missing = count - this.tokens(nowMs);
    return missing <= 0 ? 0 : missing / this.#tokensPerMs;
  }
}

/** One bucket for each of a bounded number of keys; the key that was used least recently is forgotten first. */
export class KeyedBuckets {
  readonly #options: { readonly capacity: number; readonly tokensPerMs: number; readonly keysMax: number };
  /** In order of use. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: { readonly capacity: number; readonly tokensPerMs: number; readonly keysMax: number }) {
    this.#options = options;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of `key`, if there is one. */
  take(key: string, nowMs: number): boolean {
    const bucket = this.#use(key, nowMs);
    if (bucket.tokens(nowMs) < 1) return false;
    bucket.spend(1, nowMs);
    return true;
  }

  /** True if nothing of `key`'s is missing. */
  isFull(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key);
    return bucket === undefined || bucket.tokens(nowMs) >= this.#options.capacity;
  }

  /** Undoes a `take`. */
  giveBack(key: string, nowMs: number): void {
    this.#buckets.get(key)?.spend(-1, nowMs);
  }

  #use(key: string, nowMs: number): TokenBucket {
    const { capacity, tokensPerMs, keysMax } = this.#options;
    const bucket = this.#buckets.get(key) ?? new TokenBucket({ capacity, tokensPerMs, nowMs });
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > keysMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
