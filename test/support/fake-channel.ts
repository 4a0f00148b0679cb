// A channel with nobody at the other end: remembers what was sent, and receives what the test says. And a session over one.

import { parsePeerId, type PeerId } from "../../src/core/ids.ts";
import type { Channel, ChannelEnd, CloseCode } from "../../src/pool/channel.ts";
import type { Message } from "../../src/pool/messages.ts";
import type { Session } from "../../src/pool/session.ts";
import { replicaIdOf } from "./replica-world.ts";

export class FakeChannel implements Channel {
  readonly peerId: PeerId;
  readonly remote = { host: "10.0.0.9", port: 9000 };
  readonly isDialer = true;
  readonly verification = new Uint8Array(32);
  readonly bytesSent = 0;
  bytesReceived = 0;
  isPaused = false;
  readonly sent: Message[] = [];
  readonly ended: Promise<ChannelEnd>;
  #settle: (end: ChannelEnd) => void = () => {};
  #handler: (message: Message) => void = () => {};

  constructor() {
    const peerId = parsePeerId("ab".repeat(32));
    if (peerId === undefined) throw new Error("not a peer ID");
    this.peerId = peerId;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get isCongested(): boolean {
    return false;
  }

  send(message: Message): void {
    this.sent.push(message);
  }

  async writable(): Promise<void> {}

  onMessage(handler: (message: Message) => void): void {
    this.#handler = handler;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: CloseCode, detail = ""): void {
    this.end({ code, byPeer: false, detail });
  }

  /** The other side sends `message`, in `bytes` on the wire. */
  receive(message: Message, bytes = 100): void {
    this.bytesReceived += bytes;
    this.#handler(message);
  }

  end(end: ChannelEnd = { code: "lost", byPeer: false, detail: "" }): void {
    this.#settle(end);
  }
}

/** A session that never opens data channels by itself. */
export function sessionOver(control: FakeChannel): Session {
  return {
    peer: { id: control.peerId, name: "there", replicaId: replicaIdOf(1), remote: control.remote },
    isLeader: false,
    control,
    dataChannels: [],
    onDataChannel: () => {},
    wantDataChannels: () => {},
    close: (code) => control.close(code),
    ended: control.ended,
  };
}
