// How the handshake uses CPace: what its session ID, channel and associated data are. docs/protocol.md, "Passphrase".
// The server sends its share first, in its hello, so it is CPace's initiator.

import { blake3 } from "@noble/hashes/blake3.js";
import {
  calculateGenerator,
  intermediateKey,
  makeShare,
  scalarFrom,
  secretPoint,
  type CpaceInputs,
  type CpaceMessage,
} from "./cpace.ts";
import { ephemeralKeyOf, withoutShare, type Role } from "./hello.ts";

const CHANNEL = Buffer.from("dsync");

/** What a side that uses a passphrase brings. */
export interface PassphraseInput {
  /** See {@link passphraseBytes}. */
  readonly passphrase: Uint8Array;
  /** 32 random bytes, used for this handshake only. */
  readonly scalarSecret: Uint8Array;
}

export interface PassphraseExchangeOptions extends PassphraseInput {
  readonly role: Role;
  readonly clientHello: Uint8Array;
  /** Its share is not looked at: it depends on the rest. */
  readonly serverHello: Uint8Array;
}

/** One side's half of the exchange. */
export interface PassphraseExchange {
  /** 32 bytes. */
  readonly ownShare: Uint8Array;
  /** 64 bytes, the same on both sides if the passphrase is; `undefined` for a share that is no share. */
  finish(theirShare: Uint8Array): Uint8Array | undefined;
}

/** The same text in whatever way it was typed: NFC, in UTF-8. */
export function passphraseBytes(passphrase: string): Uint8Array {
  return Buffer.from(passphrase.normalize("NFC"));
}

export function startPassphraseExchange(options: PassphraseExchangeOptions): PassphraseExchange {
  const { role, clientHello, serverHello, passphrase, scalarSecret } = options;
  const sessionId = blake3(Buffer.concat([clientHello, withoutShare(serverHello)]));
  const inputs: CpaceInputs = { password: passphrase, channel: CHANNEL, sessionId };
  const scalar = scalarFrom(scalarSecret);
  const ownShare = makeShare(scalar, calculateGenerator(inputs));
  const server = (share: Uint8Array) => messageOf("server", serverHello, share);
  const client = (share: Uint8Array) => messageOf("client", clientHello, share);
  return {
    ownShare,
    finish(theirShare) {
      const point = secretPoint(scalar, theirShare);
      if (point === undefined) return undefined;
      const isServer = role === "server";
      return intermediateKey(
        { sessionId, point },
        server(isServer ? ownShare : theirShare),
        client(isServer ? theirShare : ownShare),
      );
    },
  };
}

function messageOf(role: Role, hello: Uint8Array, share: Uint8Array): CpaceMessage {
  return { share, associatedData: Buffer.concat([Buffer.from(role), ephemeralKeyOf(hello)]) };
}
