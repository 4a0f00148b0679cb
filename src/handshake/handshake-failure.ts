// Why a handshake came to nothing: a closed set, and what to tell a person.

import { assertNever } from "../core/assert.ts";

/** What the state machine refuses. */
export type HandshakeRefusal =
  | "not-dsync" // the first bytes are not those of a hello
  | "reflection" // our own role came back
  | "version" // another protocol version
  | "passphrase" // one side uses a passphrase, the other does not
  | "low-order" // an ephemeral key that makes the secret predictable
  | "bad-proof" // does not decrypt: something was changed on the way
  | "bad-signature" // the identity key was not there when this was signed
  | "self" // our own identity
  | "wrong-peer"; // not the identity that was expected

/** What can also happen to the connection under it. */
export type HandshakeFailure = HandshakeRefusal | "timeout" | "ended" | "aborted";

/** One sentence for the log, without the address, which the caller knows. */
export function explainFailure(failure: HandshakeFailure): string {
  switch (failure) {
    case "not-dsync":
      return "The other side does not speak dsync.";
    case "version":
      return "The other side speaks another version of the protocol: update dsync on both machines.";
    case "passphrase":
      return "Only one side uses a passphrase: give both the same one, or none.";
    case "self":
      return "The address leads back to this instance.";
    case "wrong-peer":
      return "Another instance answered than the one announced at this address.";
    case "reflection":
    case "low-order":
    case "bad-proof":
    case "bad-signature":
      return `The other side could not prove who it is (${failure}).`;
    case "timeout":
      return "The other side did not finish the handshake in time.";
    case "ended":
      return "The other side closed the connection during the handshake.";
    case "aborted":
      return "The handshake was given up.";
    default:
      return assertNever(failure);
  }
}
