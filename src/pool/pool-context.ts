// What the parts of the pool share: the world, who stands where, and how a channel becomes a session.

import { escapeForTerminal } from "../core/escape.ts";
import type { Clock } from "../edge/clock.ts";
import type { Network } from "../edge/network.ts";
import {
  explainPassphrase,
  isPassphraseRefusal,
  type HandshakeFailure,
  type PassphraseRefusal,
} from "../handshake/handshake-failure.ts";
import type { HelloMessage } from "./messages.ts";
import type { OpenChannel } from "./open-channel.ts";
import type { PeerTable } from "./peer-table.ts";
import type { PoolChannel } from "./pool-channel.ts";
import type { RefusalReason, RefusalReports } from "./pool-events.ts";

export interface PoolContext {
  readonly network: Network;
  readonly clock: Clock;
  readonly openChannel: OpenChannel;
  readonly share: string;
  readonly peers: PeerTable;
  readonly reports: RefusalReports;
  /** Aborted when the pool stops. */
  readonly signal: AbortSignal;
  ownHello(purpose: HelloMessage["purpose"]): HelloMessage;
  /** Remembers a channel until it has ended, so that stopping can wait for it. */
  track(channel: PoolChannel): void;
  /** Makes a session of a control channel, once both hellos have gone over it. */
  establish(control: PoolChannel, peerHello: HelloMessage): void;
}

/** True if the peer syncs our share; otherwise closes the channel and reports the peer, once. */
export function checkShare(context: PoolContext, channel: PoolChannel, peerHello: HelloMessage): boolean {
  if (peerHello.share === context.share) return true;
  channel.close("other-share");
  const [name, theirs, ours] = [peerHello.name, peerHello.share, context.share].map(escapeForTerminal);
  context.reports.reportOnce(channel.peerId, {
    reason: "other-share",
    ...channel.remote,
    detail: `${name} syncs the share "${theirs}", this instance "${ours}". Give both the same --share.`,
  });
  return false;
}

/** How a failed handshake is reported. */
export function refusalOf(failure: HandshakeFailure): RefusalReason {
  if (isPassphraseRefusal(failure)) return "passphrase";
  const isNamed = failure === "version" || failure === "wrong-peer";
  return isNamed ? failure : "handshake";
}

/** Tells the person whose passphrases do not fit together, whichever side dialled. */
export function reportPassphrase({ reports }: PoolContext, failure: PassphraseRefusal, at: Address): void {
  const detail = explainPassphrase(failure, `the peer at ${at.host}`);
  reports.reportEachMinute(`${failure} ${at.host}`, { reason: "passphrase", host: at.host, port: at.port, detail });
}

interface Address {
  readonly host: string;
  readonly port: number;
}
