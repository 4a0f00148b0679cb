// The listening side: from a connection that somebody made to a session, one more data channel, or nothing.

import { SESSIONS_MAX, SESSIONS_PER_ADDRESS_MAX, STABLE_MS_MIN } from "../core/limits.ts";
import type { Connection } from "../edge/network.ts";
import { explainFailure, isPassphraseRefusal } from "../handshake/handshake-failure.ts";
import type { ChannelEnd } from "./channel.ts";
import type { InboundGate, Permit } from "./inbound-gate.ts";
import type { HelloMessage } from "./messages.ts";
import { PoolChannel } from "./pool-channel.ts";
import { checkShare, refusalOf, reportPassphrase, type PoolContext } from "./pool-context.ts";

/** Never rejects. */
export async function acceptChannel(context: PoolContext, gate: InboundGate, connection: Connection): Promise<void> {
  const { remote } = connection;
  const admission = gate.admit(remote.host, () => {
    connection.destroy();
    const detail = "It gave way to an address that has fewer unfinished.";
    context.reports.report({ reason: "too-many-handshakes", ...remote, detail });
  });
  if (admission.kind === "refused") {
    connection.destroy();
    const { reason } = admission;
    const isRemote = reason === "remote-address";
    const detail = isRemote ? "Not a local address; --allow-remote would let it in." : "Too many failed or unfinished.";
    return context.reports.report({ reason, ...remote, detail });
  }
  const channel = await shakeHands(context, admission.permit, connection);
  if (channel === undefined) return;
  const outcome = await channel.receiveHello();
  if (outcome.kind === "ended") return admission.permit.failed();
  admission.permit.succeeded();
  const openedAtMs = context.clock.monotonic();
  void channel.ended.then((end) => {
    const livedMs = context.clock.monotonic() - openedAtMs;
    if (isMisuse(end, outcome.hello, livedMs)) admission.permit.misused();
  });
  greet(context, channel, outcome.hello);
}

/** A peer that breaks the protocol, or comes and goes without a pause: each time costs work, and a line in the log. */
function isMisuse({ code, byPeer }: ChannelEnd, { purpose }: HelloMessage, livedMs: number): boolean {
  if (code === "protocol-error") return !byPeer;
  const hasLeft = code === "lost" || (byPeer && code === "goodbye");
  return hasLeft && purpose === "control" && livedMs < STABLE_MS_MIN;
}

async function shakeHands(
  context: PoolContext,
  permit: Permit,
  connection: Connection,
): Promise<PoolChannel | undefined> {
  const { openChannel, clock, signal, reports } = context;
  const outcome = await openChannel(connection, { role: "server", expectedPeerId: undefined, signal });
  if (outcome.kind === "opened") {
    const channel = new PoolChannel({ channel: outcome.channel, connection }, clock);
    context.track(channel);
    return channel;
  }
  permit.failed();
  if (isPassphraseRefusal(outcome.reason)) reportPassphrase(context, outcome.reason, connection.remote);
  // An end is what port scanners and our own dials to ourselves leave; the gate counts them, and that is enough.
  else if (outcome.reason !== "ended" && outcome.reason !== "aborted") {
    const detail = explainFailure(outcome.reason);
    reports.report({ reason: refusalOf(outcome.reason), ...connection.remote, detail });
  }
  return undefined;
}

function greet(context: PoolContext, channel: PoolChannel, peerHello: HelloMessage): void {
  if (context.signal.aborted) return channel.close("goodbye");
  const ownHello = context.ownHello(peerHello.purpose);
  if (peerHello.share !== context.share) {
    // So that the other side can tell its person the same.
    channel.send(ownHello);
    checkShare(context, channel, peerHello);
  } else if (peerHello.purpose === "control") {
    acceptControl(context, channel, peerHello);
  } else {
    acceptData(context, channel);
  }
}

function acceptControl(context: PoolContext, channel: PoolChannel, peerHello: HelloMessage): void {
  const { peers, reports } = context;
  const session = peers.session(channel.peerId);
  if (session === undefined && peers.sessionCount >= SESSIONS_MAX) {
    channel.close("overload");
    const detail = `There are ${SESSIONS_MAX} sessions already.`;
    return reports.report({ reason: "too-many-sessions", ...channel.remote, detail });
  }
  if (session === undefined && peers.sessionCountFrom(channel.remote.host) >= SESSIONS_PER_ADDRESS_MAX) {
    channel.close("overload");
    const detail = `There are ${SESSIONS_PER_ADDRESS_MAX} sessions from this address already.`;
    return reports.report({ reason: "too-many-sessions", ...channel.remote, detail });
  }
  if (peers.decide(channel) === "reject") {
    channel.close("superfluous");
    // If the peer dialled because it has lost that session, we had better know.
    session?.probe();
    return;
  }
  channel.send(context.ownHello("control"));
  context.establish(channel, peerHello);
}

function acceptData(context: PoolContext, channel: PoolChannel): void {
  const session = context.peers.session(channel.peerId);
  if (session === undefined || session.isLeader) return channel.close("superfluous");
  if (!session.mayAcceptData) return channel.close("overload");
  channel.send(context.ownHello("data"));
  session.acceptData(channel);
}
