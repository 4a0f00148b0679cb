// Where connected peers stand, in the words of the status and of the progress. Pure.

import type { PeerProgress } from "../core/events.ts";
import type { PeerReport, Pending } from "../core/reports.ts";
import { formatAddress } from "../pool/address.ts";
import type { Conversation } from "./conversation.ts";

/** What connected peers still lack, all together. */
export function outgoingOf(conversations: readonly Conversation[]): Pending {
  const outgoing = { files: 0, bytes: 0 };
  for (const { peerStand } of conversations) {
    outgoing.files += peerStand?.pendingFiles ?? 0;
    outgoing.bytes += peerStand?.pendingBytes ?? 0;
  }
  return outgoing;
}

export function peerProgress({ session, peerStand, isInSync, isComparing }: Conversation): PeerProgress {
  const { pendingFiles = 0, pendingBytes = 0 } = peerStand ?? {};
  const isPending = pendingFiles > 0 || !isComparing;
  return {
    id: session.peer.id,
    state: isInSync ? "in-sync" : isPending ? "pending" : "comparing",
    pendingFiles,
    pendingBytes,
  };
}

/** `sayVerification`: says a session's verification value in words; `undefined`: nobody asked for them. */
export function peerReport(
  { session, peerStand, isInSync }: Conversation,
  sayVerification: ((verification: Uint8Array) => string) | undefined,
): PeerReport {
  const { id, name, remote } = session.peer;
  const { pendingFiles: files = 0, pendingBytes: bytes = 0 } = peerStand ?? {};
  return {
    id,
    name,
    address: formatAddress(remote.host, remote.port),
    inSync: isInSync,
    pending: { files, bytes },
    verification: sayVerification?.(session.control.verification) ?? null,
  };
}
