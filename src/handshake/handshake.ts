// The handshake as a pure state machine: no socket, no clock, no randomness of its own. docs/protocol.md, "Handshake".
//
//   C → S  client hello
//   S → C  server hello                           with a passphrase: its share is in it,
//   C → S    [client share, client confirmation]  and both show that they know the passphrase
//   S → C    [server confirmation], server proof  before either shows who it is
//   C → S  client proof
//
// Invariants: 1. nothing but fixed-size messages is read. 2. Secrets are given out only after the other side has signed
// the transcript, which holds our fresh challenge. 3. A proof is made for one role, so none can be sent back to its maker.
// 4. With a passphrase, nothing that depends on an identity is sent to a side that has not confirmed the passphrase.

import { timingSafeEqual } from "node:crypto";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import type { Aead } from "./aead.ts";
import type { Curves } from "./curves.ts";
import { portableCurves } from "./curves-portable.ts";
import type { HandshakeRefusal } from "./handshake-failure.ts";
import {
  challengeOf,
  encodeHello,
  ephemeralKeyOf,
  HELLO_BYTES,
  HELLO_HEAD_BYTES,
  parseHelloHead,
  SHARE_BYTES,
  shareOf,
  withShare,
  type HelloMode,
  type Role,
} from "./hello.ts";
import type { Identity } from "./identity.ts";
import { deriveKeys, hashTranscript, type KeySchedule } from "./key-schedule.ts";
import { startPassphraseExchange, type PassphraseExchange, type PassphraseInput } from "./passphrase-exchange.ts";
import { CLIENT_PROOF_BYTES, openProof, sealProof, SERVER_PROOF_BYTES } from "./proof.ts";
import { commitTo, deriveVerification, isOpening } from "./verification.ts";

export interface HandshakeOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly aead: Aead;
  /** Matters for speed alone; the portable ones unless given. */
  readonly curves?: Curves;
  /** The protocol version that this side speaks. */
  readonly version: number;
  /** 32 random bytes, used for this handshake only. */
  readonly ephemeralSecret: Uint8Array;
  /** 32 random bytes, used for this handshake only. A client sends their hash first, and them in its proof. */
  readonly challenge: Uint8Array;
  /** Let in only those who know it; `undefined`: everybody. */
  readonly passphrase?: PassphraseInput | undefined;
  /** Refuse everybody else. */
  readonly expectedPeerId?: PeerId | undefined;
}

/** What a finished handshake leaves: who the other side is, and the keys of the channel to it. */
export interface ChannelSecrets {
  readonly peerId: PeerId;
  /** 32 bytes, the same on both sides. */
  readonly transcriptHash: Uint8Array;
  /** 32 bytes, the same on both sides, for their people to compare: see verification.ts. */
  readonly verification: Uint8Array;
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

/** Where a handshake stands. In every case `output` is to be sent first; it may be empty. */
export type HandshakeStep =
  | {
      readonly kind: "reading";
      readonly output: Uint8Array;
      /** `receive` wants exactly this many bytes. */
      readonly bytesNeeded: number;
      readonly receive: (bytes: Uint8Array) => HandshakeStep;
    }
  | { readonly kind: "done"; readonly output: Uint8Array; readonly secrets: ChannelSecrets }
  | { readonly kind: "failed"; readonly output: Uint8Array; readonly reason: HandshakeRefusal };

export const CONFIRMATION_BYTES = 32;

const NOTHING = new Uint8Array(0);
const NOT_CONFIRMED = new Uint8Array(CONFIRMATION_BYTES);

export function startHandshake(options: HandshakeOptions): HandshakeStep {
  return options.role === "client" ? startAsClient(options) : startAsServer(options);
}

function startAsClient(options: HandshakeOptions): HandshakeStep {
  const ownHello = makeHello(options, commitTo(options.challenge));
  return reading(ownHello, HELLO_HEAD_BYTES, (head) => {
    const refusal = refuseHead(head, options);
    if (refusal !== undefined) return failed(refusal);
    return reading(NOTHING, HELLO_BYTES - HELLO_HEAD_BYTES, (rest) => agreeOnKeys(options, ownHello, [head, rest]));
  });
}

/** Whoever has not sent a whole hello costs no multiplication of a point. */
function startAsServer(options: HandshakeOptions): HandshakeStep {
  return reading(NOTHING, HELLO_HEAD_BYTES, (head) => {
    const refusal = refuseHead(head, options);
    if (refusal === "not-dsync" || refusal === "reflection") return failed(refusal);
    // The client cannot know our version and mode yet, and would otherwise have nothing to explain the end with.
    if (refusal !== undefined) return failed(refusal, makeHello(options, options.challenge));
    return reading(NOTHING, HELLO_BYTES - HELLO_HEAD_BYTES, (rest) =>
      agreeOnKeys(options, makeHello(options, options.challenge), [head, rest]),
    );
  });
}

function makeHello(options: HandshakeOptions, challenge: Uint8Array): Uint8Array {
  const { role, version, ephemeralSecret } = options;
  const ephemeralKey = curvesOf(options).x25519.publicKeyOf(ephemeralSecret);
  return encodeHello({ role, version, mode: modeOf(options), challenge, ephemeralKey });
}

function curvesOf({ curves = portableCurves }: HandshakeOptions): Curves {
  return curves;
}

function modeOf({ passphrase }: HandshakeOptions): HelloMode {
  return passphrase === undefined ? "open" : "passphrase";
}

function refuseHead(bytes: Uint8Array, options: HandshakeOptions): HandshakeRefusal | undefined {
  const head = parseHelloHead(bytes);
  if (head.kind === "not-dsync") return "not-dsync";
  if (head.role === options.role) return "reflection";
  if (head.version !== options.version || head.mode === "unknown") return "version";
  if (head.mode === modeOf(options)) return undefined;
  return head.mode === "passphrase" ? "passphrase-missing" : "passphrase-unused";
}

function agreeOnKeys(options: HandshakeOptions, ownHello: Uint8Array, theirs: readonly Uint8Array[]): HandshakeStep {
  const isServer = options.role === "server";
  const theirHello = Buffer.concat(theirs);
  const sharedSecret = curvesOf(options).x25519.sharedSecret(options.ephemeralSecret, ephemeralKeyOf(theirHello));
  if (sharedSecret === undefined) return failed("low-order");
  const [clientHello, serverHello] = isServer ? [theirHello, ownHello] : [ownHello, theirHello];
  const agreed: Agreed = { sharedSecret, clientHello, serverHello };
  if (options.passphrase !== undefined) {
    const exchange = startPassphraseExchange({ ...options.passphrase, role: options.role, clientHello, serverHello });
    return isServer ? confirmAsServer(options, agreed, exchange) : confirmAsClient(options, agreed, exchange);
  }
  const transcriptHash = hashTranscript(clientHello, serverHello);
  const keyed = { clientHello, serverHello, transcriptHash, keys: deriveKeys({ sharedSecret, transcriptHash }) };
  sharedSecret.fill(0);
  return exchangeProofs(options, keyed, isServer ? ownHello : NOTHING);
}

/** What the hellos have settled. */
interface Agreed {
  readonly sharedSecret: Uint8Array;
  readonly clientHello: Uint8Array;
  readonly serverHello: Uint8Array;
}

interface Keyed {
  readonly clientHello: Uint8Array;
  readonly serverHello: Uint8Array;
  readonly transcriptHash: Uint8Array;
  readonly keys: KeySchedule;
}

/** Sends the share within the hello; says nothing more to a client that has not shown that it knows the passphrase. */
function confirmAsServer(options: HandshakeOptions, agreed: Agreed, exchange: PassphraseExchange): HandshakeStep {
  const serverHello = withShare(agreed.serverHello, exchange.ownShare);
  return reading(serverHello, SHARE_BYTES + CONFIRMATION_BYTES, (bytes) => {
    const clientShare = bytes.subarray(0, SHARE_BYTES);
    const passphraseKey = exchange.finish(clientShare);
    const keyed = deriveWith(passphraseKey, { ...agreed, serverHello }, clientShare);
    if (keyed === undefined) return failed("low-order");
    const { clientConfirmation, serverConfirmation } = keyed.keys;
    // Zeros, which no key gives, and which tell the client why this ends and a guesser nothing more.
    if (!isSame(bytes.subarray(SHARE_BYTES), clientConfirmation)) return failed("passphrase-other", NOT_CONFIRMED);
    return exchangeProofs(options, keyed, serverConfirmation);
  });
}

function confirmAsClient(options: HandshakeOptions, agreed: Agreed, exchange: PassphraseExchange): HandshakeStep {
  const keyed = deriveWith(exchange.finish(shareOf(agreed.serverHello)), agreed, exchange.ownShare);
  if (keyed === undefined) return failed("low-order");
  const { clientConfirmation, serverConfirmation } = keyed.keys;
  const opening = Buffer.concat([exchange.ownShare, clientConfirmation]);
  return reading(opening, CONFIRMATION_BYTES, (bytes) =>
    isSame(bytes, serverConfirmation) ? exchangeProofs(options, keyed, NOTHING) : failed("passphrase-other"),
  );
}

/** `undefined` without a key. Wipes both secrets. */
function deriveWith(
  passphraseKey: Uint8Array | undefined,
  { sharedSecret, clientHello, serverHello }: Agreed,
  clientShare: Uint8Array,
): Keyed | undefined {
  if (passphraseKey === undefined) return undefined;
  const transcriptHash = hashTranscript(clientHello, serverHello, clientShare);
  const keys = deriveKeys({ sharedSecret, passphraseKey, transcriptHash });
  for (const secret of [sharedSecret, passphraseKey]) secret.fill(0);
  return { clientHello, serverHello, transcriptHash, keys };
}

/** In constant time. */
function isSame(bytes: Uint8Array, expected: Uint8Array): boolean {
  return timingSafeEqual(bytes, expected);
}

/** `opening`: what a server sends before its proof. */
function exchangeProofs(options: HandshakeOptions, keyed: Keyed, opening: Uint8Array): HandshakeStep {
  const { role, identity, aead } = options;
  const { clientHello, serverHello, transcriptHash, keys } = keyed;
  const isServer = role === "server";
  const curves = curvesOf(options);
  const server = { aead, curves, transcriptHash, role: "server", key: keys.serverProofKey } as const;
  const client = { aead, curves, transcriptHash, role: "client", key: keys.clientProofKey } as const;

  const output = isServer ? Buffer.concat([opening, sealProof(identity, server)]) : opening;
  return reading(output, isServer ? CLIENT_PROOF_BYTES : SERVER_PROOF_BYTES, (bytes) => {
    const proof = openProof(bytes, isServer ? client : server);
    if (proof.kind !== "proven") return failed(proof.kind);
    const opening = isServer ? proof.opening : options.challenge;
    if (isServer && !isOpening(opening, challengeOf(clientHello))) return failed("bad-proof");
    const peerId = peerIdFromBytes(proof.publicKey);
    if (peerId === identity.peerId) return failed("self");
    if (peerId !== (options.expectedPeerId ?? peerId)) return failed("wrong-peer");
    return {
      kind: "done",
      output: isServer ? NOTHING : sealProof(identity, client, opening),
      secrets: {
        peerId,
        transcriptHash,
        verification: deriveVerification({ clientHello, serverHello, opening }),
        sendKey: isServer ? keys.serverRecordKey : keys.clientRecordKey,
        receiveKey: isServer ? keys.clientRecordKey : keys.serverRecordKey,
      },
    };
  });
}

function reading(
  output: Uint8Array,
  bytesNeeded: number,
  receive: (bytes: Uint8Array) => HandshakeStep,
): HandshakeStep {
  return { kind: "reading", output, bytesNeeded, receive };
}

function failed(reason: HandshakeRefusal, output: Uint8Array = NOTHING): HandshakeStep {
  return { kind: "failed", output, reason };
}
