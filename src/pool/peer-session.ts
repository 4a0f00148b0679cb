// One session: its control channel with keep-alive, its data channels, and the end that they share.

import { DATA_CHANNELS_MAX } from "../core/limits.ts";
import type { Clock } from "../edge/clock.ts";
import type { Random } from "../edge/random.ts";
import type { Channel, ChannelEnd, CloseCode } from "./channel.ts";
import { DataChannels } from "./data-channels.ts";
import { KeepAlive } from "./keep-alive.ts";
import type { HelloMessage } from "./messages.ts";
import type { PoolChannel, PoolMessage } from "./pool-channel.ts";
import type { PeerInfo, Session } from "./session.ts";

export interface PeerSessionOptions {
  /** Both hellos have gone over it. */
  readonly control: PoolChannel;
  readonly ownHello: HelloMessage;
  readonly peerHello: HelloMessage;
  readonly clock: Clock;
  readonly random: Random;
  /** Opens one data channel to the same address; used if this side dialled. */
  readonly dialData: () => Promise<PoolChannel | undefined>;
  readonly decorateData: (channel: Channel) => Channel;
}

export class PeerSession implements Session {
  readonly peer: PeerInfo;
  readonly isLeader: boolean;
  readonly ended: Promise<ChannelEnd>;
  readonly #control: PoolChannel;
  readonly #clock: Clock;
  readonly #openedAtMs: number;
  readonly #keepAlive: KeepAlive;
  readonly #data: DataChannels;
  #settle: (end: ChannelEnd) => void = () => {};
  #hasEnded = false;

  constructor(options: PeerSessionOptions) {
    const { control, ownHello, peerHello, clock, random, dialData } = options;
    const { name, replicaId } = peerHello;
    this.peer = { id: control.peerId, name, replicaId, remote: control.remote };
    this.isLeader = control.isDialer;
    this.#control = control;
    this.#clock = clock;
    this.#openedAtMs = clock.monotonic();
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#data = new DataChannels({
      clock,
      random,
      countMax: Math.min(ownHello.dataChannelsMax, peerHello.dataChannelsMax, DATA_CHANNELS_MAX),
      source: this.isLeader
        ? { kind: "dial", dial: dialData }
        : { kind: "ask", ask: (count) => control.send({ type: "want-channels", count }) },
      decorate: options.decorateData,
      onProtocolError: (end) => this.#end(end),
    });
    this.#keepAlive = new KeepAlive({ clock, watched: watch(control), onSilent: () => this.close("timeout") });
    void control.ended.then((end) => this.#end(end));
    control.serve("control", (message) => this.#receive(message));
  }

  get control(): Channel {
    return this.#control;
  }

  get dataChannels(): readonly Channel[] {
    return this.#data.list;
  }

  /** How long it has lived. */
  get ageMs(): number {
    return this.#clock.monotonic() - this.#openedAtMs;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  onDataChannel(handler: (channel: Channel) => void): void {
    this.#data.onChannel(handler);
  }

  wantDataChannels(count: number): void {
    this.#data.want(count);
  }

  /** True if the peer may open one more data channel. */
  get mayAcceptData(): boolean {
    return !this.isLeader && !this.#hasEnded && !this.#data.isFull;
  }

  /** Takes on a data channel that the peer opened; both hellos have gone over it. */
  acceptData(channel: PoolChannel): void {
    this.#data.add(channel);
  }

  /** Finds out soon whether the peer still knows this session. */
  probe(): void {
    this.#keepAlive.probe();
  }

  close(code: CloseCode, detail = ""): void {
    this.#end({ code, byPeer: false, detail });
  }

  #receive(message: PoolMessage): void {
    switch (message.type) {
      case "ping":
        // A peer that pings without reading would otherwise fill our memory with answers.
        if (!this.#control.isCongested) this.#control.send({ type: "pong" });
        return;
      case "pong":
        return;
      case "want-channels":
        this.#data.want(message.count);
    }
  }

  #end(end: ChannelEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#keepAlive.stop();
    const code = end.code === "lost" ? "superfluous" : end.code;
    this.#data.close(code);
    this.#control.close(code, end.detail);
    this.#settle(end);
  }
}

function watch(control: PoolChannel) {
  return {
    get bytesReceived() {
      return control.bytesReceived;
    },
    get isPaused() {
      return control.isPaused;
    },
    ping: () => control.send({ type: "ping" }),
  };
}
