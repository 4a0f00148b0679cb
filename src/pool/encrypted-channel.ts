// A channel over a connection whose handshake is done: messages in, records out, and back.
//
// Invariants: 1. Once the channel is closing, by either side, no handler is called and nothing more is sealed.
// 2. `ended` resolves when the connection is gone, or when the other side's close record has come.
// 3. Nothing is read ahead of a paused consumer but what one read from the connection brought.

import { ByteQueue } from "../core/byte-queue.ts";
import { DsyncError } from "../core/errors.ts";
import type { Connection, ConnectionEnd } from "../edge/network.ts";
import type { Aead } from "../handshake/aead.ts";
import type { ChannelSecrets } from "../handshake/handshake.ts";
import type { Channel, ChannelEnd, CloseCode } from "./channel.ts";
import { FrameReader } from "./frame-reader.ts";
import { encodeMessage } from "./message-codec.ts";
import type { Message } from "./messages.ts";
import { RECORD_CONTENT_BYTES_MAX, RecordOpener, RecordSealer } from "./record-layer.ts";

export interface CreateChannelOptions {
  /** Paused, and nobody else's from now on. */
  readonly connection: Connection;
  readonly secrets: ChannelSecrets;
  readonly aead: Aead;
  /** True if this side dialled. */
  readonly isDialer: boolean;
  /** What arrived behind the handshake. */
  readonly leftover?: Uint8Array;
}

/** The channel reads nothing until it has a message handler. */
export function createChannel(options: CreateChannelOptions): Channel {
  return new EncryptedChannel(options);
}

class EncryptedChannel implements Channel {
  readonly isDialer: boolean;
  readonly peerId: Channel["peerId"];
  readonly verification: Uint8Array;
  readonly ended: Promise<ChannelEnd>;
  #bytesSent = 0;
  #bytesReceived = 0;

  readonly #connection: Connection;
  readonly #sealer: RecordSealer;
  readonly #opener: RecordOpener;
  readonly #frames = new FrameReader();
  /** Frames that are not sealed yet. */
  readonly #outgoing = new ByteQueue();
  #isFlushScheduled = false;
  #isConnectionFull = false;
  #waitingForRoom: (() => void)[] = [];

  #handler: ((message: Message) => void) | undefined;
  #isPaused = false;
  #isReceiving = false;
  /** Set as soon as the channel is closing: see invariant 1. */
  #end: ChannelEnd | undefined;
  #resolveEnded: (end: ChannelEnd) => void = () => {};

  constructor({ connection, secrets, aead, isDialer, leftover }: CreateChannelOptions) {
    this.isDialer = isDialer;
    this.peerId = secrets.peerId;
    this.verification = secrets.verification;
    this.#connection = connection;
    this.#sealer = new RecordSealer({ aead, key: secrets.sendKey });
    this.#opener = new RecordOpener({ aead, key: secrets.receiveKey });
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    if (leftover !== undefined) this.#take(leftover);
    connection.onData((bytes) => this.#onData(bytes));
    connection.onEnd((end) => this.#onConnectionEnd(end));
    connection.onDrain(() => this.#onDrain());
  }

  get remote() {
    return this.#connection.remote;
  }
  get bytesSent() {
    return this.#bytesSent;
  }
  get bytesReceived() {
    return this.#bytesReceived;
  }
  get isCongested() {
    return this.#end === undefined && this.#isConnectionFull;
  }

  send(message: Message): void {
    if (this.#end !== undefined) return;
    for (const piece of encodeMessage(message)) this.#outgoing.push(piece);
    this.#writeRecords(RECORD_CONTENT_BYTES_MAX);
    this.#scheduleFlush();
  }

  writable(): Promise<void> {
    if (this.#end === undefined) this.#writeRecords(1);
    if (!this.isCongested) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  onMessage(handler: (message: Message) => void): void {
    this.#handler = handler;
    if (!this.#isPaused) this.resume();
  }

  pause(): void {
    this.#isPaused = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handler === undefined || this.#end !== undefined) return;
    this.#connection.resume();
    // Not at once: the caller may be in the middle of handling a message.
    queueMicrotask(() => this.#receive());
  }

  close(code: CloseCode, detail = ""): void {
    if (this.#end !== undefined) return;
    this.#writeRecords(1);
    if (code === "lost") this.#connection.destroy();
    else this.#write(this.#sealer.sealClose({ code, detail }));
    this.#enterEnd({ code, byPeer: false, detail });
    this.#connection.end();
    // So that the other side's end is seen, even if our reader had paused.
    this.#connection.resume();
  }

  /** What is sent in one turn of the event loop leaves in as few records as possible. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#outgoing.length === 0) return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      if (this.#end === undefined) this.#writeRecords(1);
    });
  }

  /** Seals and writes records of at least `contentBytesMin` bytes, as many as there are. */
  #writeRecords(contentBytesMin: number): void {
    while (this.#outgoing.length >= contentBytesMin) {
      const count = Math.min(this.#outgoing.length, RECORD_CONTENT_BYTES_MAX);
      this.#write(this.#sealer.sealData(this.#outgoing.takePieces(count)));
    }
  }

  #write(record: readonly Uint8Array[]): void {
    for (const piece of record) this.#bytesSent += piece.length;
    if (!this.#connection.write(record)) this.#isConnectionFull = true;
  }

  #onDrain(): void {
    this.#isConnectionFull = false;
    this.#releaseWaiting();
  }

  #releaseWaiting(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const resolve of waiting) resolve();
  }

  #take(bytes: Uint8Array): void {
    this.#bytesReceived += bytes.length;
    this.#opener.push(bytes);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#take(bytes);
    this.#receive();
  }

  /** Hands on what has arrived, until it is used up, or the consumer pauses, or the channel ends. */
  #receive(): void {
    if (this.#isReceiving) return;
    this.#isReceiving = true;
    try {
      while (!this.#isPaused && this.#end === undefined && this.#receiveOne()) {
        // Each call hands on one message or opens one record.
      }
    } catch (error) {
      this.#onReceiveError(error);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** False if nothing is left to be done before more bytes come. */
  #receiveOne(): boolean {
    if (this.#handler === undefined) return false;
    const message = this.#frames.next();
    if (message !== undefined) {
      this.#handler(message);
      return true;
    }
    const record = this.#opener.next();
    if (record === undefined) return false;
    if (record.kind === "data") this.#frames.push(record.content);
    else this.#onPeerClose(record.reason);
    return true;
  }

  #onReceiveError(error: unknown): void {
    if (error instanceof DsyncError && error.code === "protocol") this.close("protocol-error", error.message);
    // A bug of ours must not look like one of the connection's.
    else
      queueMicrotask(() => {
        throw error;
      });
  }

  #onPeerClose({ code, detail }: Pick<ChannelEnd, "code" | "detail">): void {
    const end = { code, detail, byPeer: true };
    this.#enterEnd(end);
    this.#resolveEnded(end);
    this.#connection.end();
    this.#connection.resume();
  }

  #onConnectionEnd({ error }: ConnectionEnd): void {
    if (this.#end === undefined) this.#discardUntilClose();
    this.#enterEnd({ code: "lost", byPeer: false, detail: error?.message ?? "the connection ended without a close" });
    if (this.#end !== undefined) this.#resolveEnded(this.#end);
  }

  /** The consumer had paused, and is not going to be asked again: only a close record that has arrived still counts. */
  #discardUntilClose(): void {
    try {
      for (let record = this.#opener.next(); record !== undefined; record = this.#opener.next()) {
        if (record.kind === "close") return this.#onPeerClose(record.reason);
      }
    } catch {
      // Whatever it was, it did not end with a close record.
    }
  }

  #enterEnd(end: ChannelEnd): void {
    this.#end ??= end;
    this.#releaseWaiting();
  }
}
