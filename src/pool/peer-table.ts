// Who stands where: the one session, or the one committed dial, of each peer. Keeps the invariants of tie-break.ts.

import type { PeerId } from "../core/ids.ts";
import { addressKey } from "./address.ts";
import type { PeerSession } from "./peer-session.ts";
import type { PoolChannel } from "./pool-channel.ts";
import { decideInbound, mayCommit, type Decision, type Standing } from "./tie-break.ts";

export class PeerTable {
  readonly #ownId: PeerId;
  readonly #sessions = new Map<PeerId, PeerSession>();
  /** Dialled by us, our hello sent, not answered yet. */
  readonly #committed = new Map<PeerId, PoolChannel>();

  constructor(ownId: PeerId) {
    this.#ownId = ownId;
  }

  get sessions(): readonly PeerSession[] {
    return [...this.#sessions.values()];
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** How many were dialled from that address. */
  sessionCountFrom(host: string): number {
    const key = addressKey(host);
    return this.sessions.filter(({ isLeader, peer }) => !isLeader && addressKey(peer.remote.host) === key).length;
  }

  session(peerId: PeerId): PeerSession | undefined {
    return this.#sessions.get(peerId);
  }

  /** Commits to a channel that we dialled; false if another one stays. */
  commit(channel: PoolChannel): boolean {
    if (!mayCommit(this.#standing(channel.peerId))) return false;
    this.#committed.set(channel.peerId, channel);
    return true;
  }

  /** Ends a commitment; false if it had been given up for a channel that the peer dialled. */
  release(channel: PoolChannel): boolean {
    if (this.#committed.get(channel.peerId) !== channel) return false;
    return this.#committed.delete(channel.peerId);
  }

  /** Decides on a control channel that the peer dialled, and gives up our own dial to it if theirs is taken. */
  decide(channel: PoolChannel): Decision {
    const { peerId } = channel;
    const decision = decideInbound({ ownId: this.#ownId, peerId, standing: this.#standing(peerId) });
    if (decision === "take") {
      this.#committed.get(peerId)?.close("superfluous");
      this.#committed.delete(peerId);
    }
    return decision;
  }

  /** Makes `session` the peer's one session. The one before is closed and returned. */
  put(session: PeerSession): PeerSession | undefined {
    const before = this.#sessions.get(session.peer.id);
    this.#sessions.set(session.peer.id, session);
    before?.close("superfluous", "replaced by a newer session");
    return before;
  }

  /** False if it was not the peer's session any more. */
  remove(session: PeerSession): boolean {
    if (this.#sessions.get(session.peer.id) !== session) return false;
    return this.#sessions.delete(session.peer.id);
  }

  #standing(peerId: PeerId): Standing {
    const session = this.#sessions.get(peerId);
    if (session !== undefined && !session.hasEnded) {
      return { kind: "session", dialedBy: session.isLeader ? "us" : "them", ageMs: session.ageMs };
    }
    return this.#committed.has(peerId) ? { kind: "committed" } : { kind: "none" };
  }
}
