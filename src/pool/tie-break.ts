// Which of two control channels between the same two peers stays. Pure; both sides come to the same decision unasked.
//
// The dialer speaks first: by sending its hello it commits to a channel. The acceptor decides, and answers with its own
// hello only if it takes the channel; so when the dialer has that hello, both have taken it. The invariants:
//   T1  A side commits to a dial only while it has neither a session with that peer nor another dial committed to it.
//   T2  The smaller peer ID holds on to its committed dial; the larger drops its own when the smaller's hello arrives.
// From T1: a hello from a peer whose session we still hold means that the peer has lost that session, or (only if we are
// the smaller one) that it committed before it took our dial. The second kind arrives soon, or never.

import { assertNever } from "../core/assert.ts";
import type { PeerId } from "../core/ids.ts";
import { HELLO_MS_MAX } from "../core/limits.ts";

/** Where one peer stands with us. `committed`: we dialled it and have sent our hello. */
export type Standing =
  | { readonly kind: "none" }
  | { readonly kind: "committed" }
  | { readonly kind: "session"; readonly dialedBy: "us" | "them"; readonly ageMs: number };

/** `take`: answer; what stood before is given up. `reject`: close the new channel as superfluous. */
export type Decision = "take" | "reject";

/** True if we may commit to a control channel that we dialled (T1). */
export function mayCommit(standing: Standing): boolean {
  return standing.kind === "none";
}

/** Decides on a control channel that `peerId` dialled, when its hello has arrived. */
export function decideInbound(options: {
  readonly ownId: PeerId;
  readonly peerId: PeerId;
  readonly standing: Standing;
}): Decision {
  const { ownId, peerId, standing } = options;
  switch (standing.kind) {
    case "none":
      return "take";
    case "committed":
      return ownId < peerId ? "reject" : "take";
    case "session":
      if (standing.dialedBy === "them" || peerId < ownId) return "take";
      // Ours stays if theirs can have been on its way when they took ours. If ours is dead, it is soon found out.
      return standing.ageMs <= HELLO_MS_MAX ? "reject" : "take";
    default:
      return assertNever(standing);
  }
}
