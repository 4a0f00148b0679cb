// The relation to one connected peer, as sync sees it: one control channel and a pool of data channels.

import type { PeerId, ReplicaId } from "../core/ids.ts";
import type { RemoteAddress } from "../edge/network.ts";
import type { Channel, ChannelEnd, CloseCode } from "./channel.ts";

export interface PeerInfo {
  readonly id: PeerId;
  /** Friendly name, checked for length, not escaped. */
  readonly name: string;
  readonly replicaId: ReplicaId;
  readonly remote: RemoteAddress;
}

export interface Session {
  readonly peer: PeerInfo;
  /** True on exactly one of the two sides: the one that starts what only one side should start. */
  readonly isLeader: boolean;
  readonly control: Channel;
  /** The data channels that are open now. Either side may ask and answer on each. */
  readonly dataChannels: readonly Channel[];
  /** Called for each data channel that opens (also for those already open when it is set). */
  onDataChannel(handler: (channel: Channel) => void): void;
  /** Asks for up to `count` data channels in all (bounded by both sides' limits); they arrive via `onDataChannel`. */
  wantDataChannels(count: number): void;
  /** Closes the control channel and every data channel. */
  close(code: CloseCode, detail?: string): void;
  readonly ended: Promise<ChannelEnd>;
}
