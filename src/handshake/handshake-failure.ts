// Why a handshake came to nothing: a closed set, and what to tell a person.

import { assertNever } from "../core/assert.ts";

/** Passphrases that do not fit together. */
export type PassphraseRefusal =
  | "passphrase-missing" // the other side uses one, we do not
  | "passphrase-unused" // we use one, the other side does not
  | "passphrase-other"; // both use one, but not the same (or somebody changed bytes on the way)

/** What the state machine refuses. */
export type HandshakeRefusal =
  | "not-dsync" // the first bytes are not those of a hello
  | "reflection" // our own role came back
  | "version" // another protocol version
  | PassphraseRefusal
  | "low-order" // an ephemeral key or share that makes the secret predictable
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
    case "passphrase-missing":
    case "passphrase-unused":
    case "passphrase-other":
      return explainPassphrase(failure, "the other side");
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

/** True for what a person mends by giving both sides the same passphrase. */
export function isPassphraseRefusal(failure: HandshakeFailure): failure is PassphraseRefusal {
  return failure === "passphrase-missing" || failure === "passphrase-unused" || failure === "passphrase-other";
}

/** One sentence for the log. `who` is what it says of the other side: `the peer at 192.168.1.20`. */
export function explainPassphrase(failure: PassphraseRefusal, who: string): string {
  const subject = who.slice(0, 1).toUpperCase() + who.slice(1);
  switch (failure) {
    case "passphrase-missing":
      return `${subject} uses a passphrase, and this side has none: start with --passphrase.`;
    case "passphrase-unused":
      return `${subject} uses no passphrase, and this side does: start it there with --passphrase.`;
    case "passphrase-other":
      return `${subject} uses another passphrase: start both sides with the same one.`;
    default:
      return assertNever(failure);
  }
}
