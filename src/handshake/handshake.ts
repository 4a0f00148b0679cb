// The handshake as a pure state machine: no socket, no clock, no randomness of its own. docs/protocol.md, "Handshake".
//
//   C → S  client hello
//   S → C  server hello, server proof
//   C → S  client proof
//
// Invariants: 1. nothing but fixed-size messages is read. 2. Secrets are given out only after the other side has signed
// the transcript, which holds our fresh challenge. 3. A proof is made for one role, so none can be sent back to its maker.

import { x25519 } from "@noble/curves/ed25519.js";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import type { Aead } from "./aead.ts";
import type { HandshakeRefusal } from "./handshake-failure.ts";
import {
  encodeHello,
  ephemeralKeyOf,
  HELLO_BYTES,
  HELLO_HEAD_BYTES,
  MODE_OPEN,
  parseHelloHead,
  type Role,
} from "./hello.ts";
import type { Identity } from "./identity.ts";
import { agree, deriveKeys, hashTranscript } from "./key-schedule.ts";
import { openProof, PROOF_BYTES, sealProof } from "./proof.ts";

export interface HandshakeOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly aead: Aead;
  /** The protocol version that this side speaks. */
  readonly version: number;
  /** 32 random bytes, used for this handshake only. */
  readonly ephemeralSecret: Uint8Array;
  /** 32 random bytes, used for this handshake only. */
  readonly challenge: Uint8Array;
  /** Refuse everybody else. */
  readonly expectedPeerId?: PeerId | undefined;
}

/** What a finished handshake leaves: who the other side is, and the keys of the channel to it. */
export interface ChannelSecrets {
  readonly peerId: PeerId;
  /** 32 bytes, the same on both sides. */
  readonly transcriptHash: Uint8Array;
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

const NOTHING = new Uint8Array(0);

export function startHandshake(options: HandshakeOptions): HandshakeStep {
  const { role, version, ephemeralSecret, challenge } = options;
  const ownHello = encodeHello({ role, version, challenge, ephemeralKey: x25519.getPublicKey(ephemeralSecret) });
  const isServer = role === "server";
  return reading(isServer ? NOTHING : ownHello, HELLO_HEAD_BYTES, (head) => {
    const refusal = refuseHead(head, options);
    // The client cannot know our version and mode yet, and would otherwise have nothing to explain the end with.
    const isExplained = isServer && (refusal === "version" || refusal === "passphrase");
    if (refusal !== undefined) return failed(refusal, isExplained ? ownHello : NOTHING);
    return reading(NOTHING, HELLO_BYTES - HELLO_HEAD_BYTES, (rest) =>
      exchangeProofs(options, ownHello, Buffer.concat([head, rest])),
    );
  });
}

function refuseHead(bytes: Uint8Array, { role, version }: HandshakeOptions): HandshakeRefusal | undefined {
  const head = parseHelloHead(bytes);
  if (head.kind === "not-dsync") return "not-dsync";
  if (head.role === role) return "reflection";
  if (head.version !== version) return "version";
  return head.mode === MODE_OPEN ? undefined : "passphrase";
}

function exchangeProofs(options: HandshakeOptions, ownHello: Uint8Array, theirHello: Uint8Array): HandshakeStep {
  const { role, identity, aead } = options;
  const isServer = role === "server";
  const sharedSecret = agree(options.ephemeralSecret, ephemeralKeyOf(theirHello));
  if (sharedSecret === undefined) return failed("low-order");

  const transcriptHash = isServer ? hashTranscript(theirHello, ownHello) : hashTranscript(ownHello, theirHello);
  const keys = deriveKeys({ sharedSecret, transcriptHash });
  const server = { aead, transcriptHash, role: "server", key: keys.serverProofKey } as const;
  const client = { aead, transcriptHash, role: "client", key: keys.clientProofKey } as const;

  const opening = isServer ? Buffer.concat([ownHello, sealProof(identity, server)]) : NOTHING;
  return reading(opening, PROOF_BYTES, (bytes) => {
    const proof = openProof(bytes, isServer ? client : server);
    if (proof.kind !== "proven") return failed(proof.kind);
    const peerId = peerIdFromBytes(proof.publicKey);
    if (peerId === identity.peerId) return failed("self");
    if (peerId !== (options.expectedPeerId ?? peerId)) return failed("wrong-peer");
    return {
      kind: "done",
      output: isServer ? NOTHING : sealProof(identity, client),
      secrets: {
        peerId,
        transcriptHash,
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
