// The data channels of one session: opened when wanted, kept open, reopened when they break.
//
// Only the side that dialled the session opens them, since it knows an address that works; the other side asks it to.

import { DATA_CHANNELS_OPENING_MAX, STABLE_MS_MIN } from "../core/limits.ts";
import type { Clock, Timer } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import { retryDelayMs } from "./backoff.ts";
import type { Channel, ChannelEnd, CloseCode } from "./channel.ts";
import type { PoolChannel } from "./pool-channel.ts";

/** How one side gets more of them. `dial` never rejects; `undefined`: it did not work. */
export type DataChannelSource =
  | { readonly kind: "dial"; readonly dial: () => Promise<PoolChannel | undefined> }
  | { readonly kind: "ask"; readonly ask: (count: number) => void };

export interface DataChannelsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What both sides allow. */
  readonly countMax: number;
  readonly source: DataChannelSource;
  /** What the layer above sees of a channel. */
  readonly decorate: (channel: Channel) => Channel;
  /** A data channel ended because one of the sides broke the protocol: the session ends too. */
  readonly onProtocolError: (end: ChannelEnd) => void;
}

export class DataChannels {
  readonly #options: DataChannelsOptions;
  /** As opened → as the layer above sees it. */
  readonly #open = new Map<PoolChannel, Channel>();
  #handler: ((channel: Channel) => void) | undefined;
  #wanted = 0;
  #opening = 0;
  #failures = 0;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(options: DataChannelsOptions) {
    this.#options = options;
  }

  get list(): readonly Channel[] {
    return [...this.#open.values()];
  }

  get isFull(): boolean {
    return this.#open.size >= this.#options.countMax;
  }

  /** Calls `handler` for those that are open, and for each that opens. */
  onChannel(handler: (channel: Channel) => void): void {
    this.#handler = handler;
    for (const channel of this.#open.values()) handler(channel);
  }

  /** Either side wants `count` in all. The greatest wish counts: channels stay open. */
  want(count: number): void {
    const { source, countMax } = this.#options;
    const wanted = Math.min(count, countMax);
    if (wanted <= this.#wanted || this.#isClosed) return;
    this.#wanted = wanted;
    if (source.kind === "ask") source.ask(wanted);
    else this.#fill();
  }

  /** Takes on a channel whose hellos agree. */
  add(channel: PoolChannel): void {
    if (this.#isClosed) return channel.close("superfluous");
    const { clock, decorate } = this.#options;
    const openedAtMs = clock.monotonic();
    const decorated = decorate(channel);
    this.#open.set(channel, decorated);
    void channel.ended.then((end) => {
      this.#open.delete(channel);
      this.#onEnded(end, clock.monotonic() - openedAtMs);
    });
    channel.serve("data", () => {});
    this.#handler?.(decorated);
  }

  /** Closes all of them; none opens any more. */
  close(code: CloseCode): void {
    this.#isClosed = true;
    this.#retry?.clear();
    for (const channel of this.#open.keys()) channel.close(code);
  }

  #fill(): void {
    const { source } = this.#options;
    if (source.kind === "ask") return;
    while (!this.#isClosed && this.#retry === undefined) {
      const isEnough = this.#open.size + this.#opening >= this.#wanted;
      if (isEnough || this.#opening >= DATA_CHANNELS_OPENING_MAX) return;
      this.#opening++;
      void source.dial().then((channel) => {
        this.#opening--;
        if (channel === undefined) this.#retryLater();
        else this.add(channel);
        this.#fill();
      });
    }
  }

  #onEnded(end: ChannelEnd, livedMs: number): void {
    if (this.#isClosed) return;
    if (end.code === "protocol-error") return this.#options.onProtocolError(end);
    if (livedMs >= STABLE_MS_MIN) this.#failures = 0;
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#retry !== undefined || this.#isClosed || this.#options.source.kind === "ask") return;
    const { clock, random } = this.#options;
    this.#retry = clock.after(retryDelayMs(this.#failures, random.fraction()), () => {
      this.#retry = undefined;
      this.#fill();
    });
    this.#failures++;
  }
}
