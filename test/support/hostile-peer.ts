// A peer that speaks the real protocol up to the point where a test has it lie: real handshake, records and frames, and
// nothing above them that would keep it from sending whatever it is told to.

import assert from "node:assert/strict";
import { systemClock } from "../../src/edge/clock.ts";
import type { Connection } from "../../src/edge/network.ts";
import { systemRandom } from "../../src/edge/random.ts";
import { tcpNetwork } from "../../src/edge/tcp-network.ts";
import { createIdentity, type Identity } from "../../src/handshake/identity.ts";
import { performHandshake } from "../../src/handshake/perform-handshake.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import { replicaIdFromBytes } from "../../src/core/ids.ts";
import { FrameReader } from "../../src/pool/frame-reader.ts";
import { encodeMessage } from "../../src/pool/message-codec.ts";
import { PROTOCOL_VERSION, type Announcement, type HelloMessage, type Message } from "../../src/pool/messages.ts";
import type { CloseReason } from "../../src/pool/record-close.ts";
import { RECORD_CONTENT_BYTES_MAX, RecordOpener, RecordSealer } from "../../src/pool/record-layer.ts";
import { waitFor } from "./wait.ts";

const aead = selectAead({ portable: false });

/** What a test may change of the hello that it greets with. */
export type HelloOverrides = Partial<Omit<HelloMessage, "type" | "purpose">>;

/** One channel to an instance that listens on loopback. Dials, so it leads the session and opens the data channels. */
export class HostilePeer {
  readonly identity: Identity;
  /** Everything that came, in order, the hello first. */
  readonly received: Message[] = [];
  readonly #connection: Connection;
  readonly #sealer: RecordSealer;
  readonly #opener: RecordOpener;
  readonly #frames = new FrameReader();
  readonly #port: number;
  readonly #hello: HelloOverrides;
  #close: CloseReason | undefined;
  #hasEnded = false;
  #bytesSent = 0;
  #onMessage: (message: Message) => void = () => {};

  private constructor(options: {
    readonly identity: Identity;
    readonly connection: Connection;
    readonly sealer: RecordSealer;
    readonly opener: RecordOpener;
    readonly port: number;
    readonly hello: HelloOverrides;
  }) {
    this.identity = options.identity;
    this.#connection = options.connection;
    this.#sealer = options.sealer;
    this.#opener = options.opener;
    this.#port = options.port;
    this.#hello = options.hello;
  }

  /** Connects and greets; resolves when the instance has greeted back. */
  static async join(
    port: number,
    hello: HelloOverrides = {},
    identity = createIdentity(systemRandom),
  ): Promise<HostilePeer> {
    return HostilePeer.#open(port, identity, "control", hello);
  }

  /** One more channel of this peer's session. */
  openData(): Promise<HostilePeer> {
    return HostilePeer.#open(this.#port, this.identity, "data", this.#hello);
  }

  /** Connects and shakes hands, and says nothing yet. */
  static async connect(port: number, identity = createIdentity(systemRandom), hello: HelloOverrides = {}) {
    const { signal } = new AbortController();
    const connection = await tcpNetwork.dial("127.0.0.1", port, signal);
    const outcome = await performHandshake(connection, {
      role: "client",
      identity,
      aead,
      version: PROTOCOL_VERSION,
      random: systemRandom,
      clock: systemClock,
      signal,
    });
    assert.equal(outcome.kind, "secured");
    const { secrets, leftover } = outcome;
    const sealer = new RecordSealer({ aead, key: secrets.sendKey });
    const opener = new RecordOpener({ aead, key: secrets.receiveKey });
    const peer = new HostilePeer({ identity, connection, sealer, opener, port, hello });
    connection.onData((bytes) => peer.#take(bytes));
    connection.onEnd(() => (peer.#hasEnded = true));
    peer.#take(leftover);
    connection.resume();
    return peer;
  }

  static async #open(port: number, identity: Identity, purpose: HelloMessage["purpose"], hello: HelloOverrides) {
    const peer = await HostilePeer.connect(port, identity, hello);
    peer.send({
      type: "hello",
      purpose,
      share: "default",
      name: "mallory",
      replicaId: replicaIdFromBytes(systemRandom.bytes(8)),
      dataChannelsMax: 4,
      ...hello,
    });
    await waitFor(() => peer.received.some(({ type }) => type === "hello") || peer.#hasEnded, { until: "a hello" });
    return peer;
  }

  /** Why the instance closed this channel; `undefined` while it has not. */
  get close(): CloseReason | undefined {
    return this.#close;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Bytes of records so far. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Calls `handler` for each message from now on. */
  onMessage(handler: (message: Message) => void): void {
    this.#onMessage = handler;
  }

  send(message: Message): boolean {
    return this.sendStream(Buffer.concat(encodeMessage(message)));
  }

  announce(announcements: readonly Announcement[]): boolean {
    return this.send({ type: "entries", entries: announcements });
  }

  /** A frame of any type and payload; `length`: what its header claims, if that is not true. */
  sendFrame(type: number, payload: Uint8Array, length = payload.length): boolean {
    const head = Buffer.alloc(5);
    head[0] = type;
    head.writeUInt32BE(length, 1);
    return this.sendStream(Buffer.concat([head, payload]));
  }

  /** Any bytes, as the next ones of the stream of frames. False: the instance does not take more now. */
  sendStream(bytes: Uint8Array): boolean {
    let isOpen = true;
    for (let at = 0; at < bytes.length; at += RECORD_CONTENT_BYTES_MAX) {
      isOpen = this.sendRaw(this.#sealer.sealData([bytes.subarray(at, at + RECORD_CONTENT_BYTES_MAX)]));
    }
    return isOpen;
  }

  /** Any bytes, past the record layer. */
  sendRaw(pieces: readonly Uint8Array[]): boolean {
    for (const piece of pieces) this.#bytesSent += piece.length;
    return this.#hasEnded ? true : this.#connection.write(pieces);
  }

  /** Resolves when all that was sent has left this process, or the channel has ended. */
  drained(): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#connection.onDrain(resolve);
      this.#connection.onEnd(() => {
        this.#hasEnded = true;
        resolve();
      });
    });
  }

  /** Reads nothing any more. */
  stopReading(): void {
    this.#connection.pause();
  }

  /** Waits for the close record of the instance. */
  async closed(): Promise<CloseReason> {
    return waitFor(() => this.#close, { until: "a close record" });
  }

  /** Waits until a message of that type has come, and returns the first. */
  async waitForMessage<Type extends Message["type"]>(type: Type): Promise<Extract<Message, { type: Type }>> {
    const isWanted = (message: Message): message is Extract<Message, { type: Type }> => message.type === type;
    return waitFor(() => this.received.find(isWanted), { until: `a ${type} message` });
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #take(bytes: Uint8Array): void {
    this.#opener.push(bytes);
    for (let record = this.#opener.next(); record !== undefined; record = this.#opener.next()) {
      if (record.kind === "close") {
        this.#close = record.reason;
        this.#connection.end();
        return;
      }
      this.#frames.push(record.content);
      for (let message = this.#frames.next(); message !== undefined; message = this.#frames.next()) {
        if (message.type === "ping") this.send({ type: "pong" });
        this.received.push(message);
        this.#onMessage(message);
      }
    }
  }
}
