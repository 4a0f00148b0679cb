// `--rate-limit`: data channels of all sessions together send, and receive, no more than so many bytes a second each.

import { RATE_BURST_BYTES_MIN, RATE_BURST_MS } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Channel, ChannelEnd } from "./channel.ts";
import type { Message } from "./messages.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Makes limited channels of data channels; they share one budget for each direction. */
export class RateLimiter {
  readonly #up: Budget;
  readonly #down: Budget;

  constructor({ bytesPerSecond, clock }: { readonly bytesPerSecond: number; readonly clock: Clock }) {
    this.#up = new Budget(bytesPerSecond, clock);
    this.#down = new Budget(bytesPerSecond, clock);
  }

  limit(channel: Channel): Channel {
    return new LimitedChannel(channel, this.#up, this.#down);
  }
}

/** Bytes that may be moved in one direction. Whoever finds it in debt waits in line, and is let through one at a time. */
class Budget {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #line: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#clock = clock;
    const capacity = Math.max(RATE_BURST_BYTES_MIN, (bytesPerSecond * RATE_BURST_MS) / 1000);
    this.#bucket = new TokenBucket({ capacity, tokensPerMs: bytesPerSecond / 1000, nowMs: clock.monotonic() });
  }

  get isSpent(): boolean {
    return this.#bucket.tokens(this.#clock.monotonic()) < 0;
  }

  spend(bytes: number): void {
    this.#bucket.spend(bytes, this.#clock.monotonic());
  }

  /** Calls `action` when it is this one's turn; the returned function leaves the line. */
  wait(action: () => void): () => void {
    this.#line.push(action);
    this.#schedule();
    return () => {
      const position = this.#line.indexOf(action);
      if (position !== -1) this.#line.splice(position, 1);
    };
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#line.length === 0) return;
    // At least a millisecond, so that whoever was let through has spent before the next one is.
    const delayMs = Math.max(1, Math.ceil(this.#bucket.msUntil(0, this.#clock.monotonic())));
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      if (this.#bucket.tokens(this.#clock.monotonic()) >= 0) this.#line.shift()?.();
      this.#schedule();
    });
  }
}

class LimitedChannel implements Channel {
  readonly ended: Promise<ChannelEnd>;
  readonly #inner: Channel;
  readonly #up: Budget;
  readonly #down: Budget;
  #isPausedAbove = false;
  #bytesCounted: number;
  #hasEnded = false;
  /** Set while reading is paused until there is budget. */
  #stopWaitingToRead: (() => void) | undefined;
  /** Those who wait to send. */
  readonly #senders = new Set<() => void>();

  constructor(inner: Channel, up: Budget, down: Budget) {
    this.#inner = inner;
    this.#up = up;
    this.#down = down;
    this.#bytesCounted = inner.bytesReceived;
    this.ended = inner.ended.then((end) => {
      this.#hasEnded = true;
      this.#stopWaitingToRead?.();
      for (const release of this.#senders) release();
      return end;
    });
  }

  get peerId() {
    return this.#inner.peerId;
  }
  get remote() {
    return this.#inner.remote;
  }
  get isDialer() {
    return this.#inner.isDialer;
  }
  get verification() {
    return this.#inner.verification;
  }
  get bytesSent() {
    return this.#inner.bytesSent;
  }
  get bytesReceived() {
    return this.#inner.bytesReceived;
  }
  get isCongested() {
    return !this.#hasEnded && (this.#up.isSpent || this.#inner.isCongested);
  }

  send(message: Message): void {
    this.#up.spend(sizeOf(message));
    this.#inner.send(message);
  }

  async writable(): Promise<void> {
    if (this.#up.isSpent && !this.#hasEnded) await this.#turn();
    await this.#inner.writable();
  }

  onMessage(handler: (message: Message) => void): void {
    this.#inner.onMessage((message) => {
      this.#countReceived();
      handler(message);
    });
  }

  pause(): void {
    this.#isPausedAbove = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#isPausedAbove = false;
    if (this.#stopWaitingToRead === undefined) this.#inner.resume();
  }

  close(...reason: Parameters<Channel["close"]>): void {
    this.#inner.close(...reason);
  }

  /** Resolves when this channel may send, or has ended. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const release = () => {
        leaveLine();
        this.#senders.delete(release);
        resolve();
      };
      const leaveLine = this.#up.wait(release);
      this.#senders.add(release);
    });
  }

  #countReceived(): void {
    const bytes = this.#inner.bytesReceived;
    this.#down.spend(bytes - this.#bytesCounted);
    this.#bytesCounted = bytes;
    if (!this.#down.isSpent || this.#stopWaitingToRead !== undefined || this.#hasEnded) return;
    this.#inner.pause();
    this.#stopWaitingToRead = this.#down.wait(() => {
      this.#stopWaitingToRead = undefined;
      if (!this.#isPausedAbove) this.#inner.resume();
    });
  }
}

/** What a message takes on the wire, roughly: what carries content counts, the rest is small. */
function sizeOf(message: Message): number {
  const overhead = 48;
  if (message.type === "chunk") return overhead + message.payload.length;
  if (message.type === "manifest") return overhead + (message.manifest?.length ?? 0);
  if (message.type === "fetch") return overhead + 128 * message.items.length;
  return overhead;
}
