// A channel as the pool hands it on: the pool's own messages (hello, ping, pong, want-channels) are taken out on the way,
// what does not belong on this kind of channel breaks the protocol, and what arrives before its handler is kept in order.

import { DsyncError, messageOf, protocolError } from "../core/errors.ts";
import { CLOSE_MS_MAX, HELLO_MS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { Connection } from "../edge/network.ts";
import type { Channel, ChannelEnd, CloseCode } from "./channel.ts";
import type { HelloMessage, Message, PingMessage, PongMessage, WantChannelsMessage } from "./messages.ts";

/** What the pool says to itself on a control channel. */
export type PoolMessage = PingMessage | PongMessage | WantChannelsMessage;

export type HelloOutcome =
  | { readonly kind: "hello"; readonly hello: HelloMessage }
  | { readonly kind: "ended"; readonly end: ChannelEnd };

const CONTROL_TYPES: ReadonlySet<Message["type"]> = new Set([
  "stand",
  "children",
  "summary",
  "want",
  "compared",
  "entries",
  "fetching",
  "have",
]);
const DATA_TYPES: ReadonlySet<Message["type"]> = new Set(["fetch-manifest", "manifest", "fetch", "chunk"]);

/** A fresh channel, and the connection under it for when a polite close does not help. */
export interface OpenedChannel {
  readonly channel: Channel;
  readonly connection: Connection;
}

/** Wraps a channel, whose `onMessage`, `pause` and `resume` are from then on this object's business alone. */
export class PoolChannel implements Channel {
  readonly ended: Promise<ChannelEnd>;
  readonly #inner: Channel;
  readonly #connection: Connection;
  readonly #clock: Clock;
  /** Arrived, not yet handled. Bounded by what one read brings: while it is not empty, the inner channel is paused. */
  readonly #queue: Message[] = [];
  #purpose: HelloMessage["purpose"] | undefined;
  #onHello: ((hello: HelloMessage) => void) | undefined;
  #onOwn: (message: PoolMessage) => void = () => {};
  #handler: ((message: Message) => void) | undefined;
  #isPausedAbove = false;
  #isPausedInside = false;
  #hasEnded = false;

  constructor({ channel, connection }: OpenedChannel, clock: Clock) {
    this.#inner = channel;
    this.#connection = connection;
    this.#clock = clock;
    this.ended = channel.ended.then((end) => {
      this.#abandon();
      // The other side has closed, and may be in no hurry to let go of the connection.
      connection.destroy();
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
    return this.#inner.isCongested;
  }
  /** True while the layer above does not want to read: then silence is not the peer's doing. */
  get isPaused() {
    return this.#isPausedAbove;
  }

  /** Waits for the other side's hello, which must be its first message and come soon. Call once, right after the handshake. */
  receiveHello(): Promise<HelloOutcome> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(HELLO_MS_MAX, () => this.close("timeout", "no hello"));
      this.#onHello = (hello) => {
        timer.clear();
        resolve({ kind: "hello", hello });
      };
      void this.ended.then((end) => {
        timer.clear();
        resolve({ kind: "ended", end });
      });
      this.#inner.onMessage((message) => this.#guard(() => this.#receive(message)));
    });
  }

  /** Says what the channel is for, once the hellos agree. `onOwn` gets the pool's messages (control channels only). */
  serve(purpose: HelloMessage["purpose"], onOwn: (message: PoolMessage) => void): void {
    this.#purpose = purpose;
    this.#onOwn = onOwn;
    this.#guard(() => this.#drain());
  }

  onMessage(handler: (message: Message) => void): void {
    this.#handler = handler;
    queueMicrotask(() => this.#guard(() => this.#drain()));
  }

  send(message: Message): void {
    this.#inner.send(message);
  }

  writable(): Promise<void> {
    return this.#inner.writable();
  }

  pause(): void {
    this.#isPausedAbove = true;
    this.#updateReading();
  }

  resume(): void {
    this.#isPausedAbove = false;
    // Not at once: the caller may be in the middle of handling a message.
    queueMicrotask(() => this.#guard(() => this.#drain()));
  }

  /** As the interface says, but cut short if the other side does not take it. */
  close(code: CloseCode, detail?: string): void {
    if (this.#hasEnded) return;
    this.#abandon();
    this.#inner.close(code, detail);
    const timer = this.#clock.after(CLOSE_MS_MAX, () => this.#connection.destroy());
    void this.ended.then(() => timer.clear());
  }

  #receive(message: Message): void {
    if (this.#onHello !== undefined) {
      if (message.type !== "hello") throw protocolError(`a ${message.type} message before the hello`);
      const onHello = this.#onHello;
      this.#onHello = undefined;
      onHello(message);
      return;
    }
    this.#queue.push(message);
    this.#drain();
  }

  #drain(): void {
    while (this.#purpose !== undefined && !this.#isPausedAbove) {
      const [message] = this.#queue;
      if (message === undefined) break;
      const isOwn = this.#check(message, this.#purpose);
      if (!isOwn && this.#handler === undefined) break;
      this.#queue.shift();
      if (isOwn) this.#onOwn(message);
      else this.#handler?.(message);
    }
    this.#updateReading();
  }

  /** What breaks the protocol closes the channel, here and not in the inner one, so that the close can be cut short. */
  #guard(action: () => void): void {
    if (this.#hasEnded) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof DsyncError) || error.code !== "protocol") throw error;
      this.close("protocol-error", messageOf(error));
    }
  }

  /** True for the pool's own messages, false for those of the layer above; throws for what may not be here. */
  #check(message: Message, purpose: HelloMessage["purpose"]): message is PoolMessage {
    switch (message.type) {
      case "ping":
      case "pong":
      case "want-channels":
        if (purpose === "control") return true;
        break;
      default:
        if ((purpose === "control" ? CONTROL_TYPES : DATA_TYPES).has(message.type)) return false;
    }
    throw protocolError(`a ${message.type} message on a ${purpose} channel`);
  }

  #updateReading(): void {
    const shouldPause = this.#isPausedAbove || this.#queue.length > 0;
    if (shouldPause === this.#isPausedInside || this.#hasEnded) return;
    this.#isPausedInside = shouldPause;
    if (shouldPause) this.#inner.pause();
    else this.#inner.resume();
  }

  #abandon(): void {
    this.#hasEnded = true;
    this.#queue.length = 0;
  }
}
