// From a bare connection to a channel: the handshake, as the pool sees it.

import type { PeerId } from "../core/ids.ts";
import type { Clock } from "../edge/clock.ts";
import type { Connection } from "../edge/network.ts";
import type { Random } from "../edge/random.ts";
import type { Aead } from "../handshake/aead.ts";
import type { Curves } from "../handshake/curves.ts";
import type { HandshakeFailure } from "../handshake/handshake-failure.ts";
import type { Identity } from "../handshake/identity.ts";
import { performHandshake } from "../handshake/perform-handshake.ts";
import type { Channel } from "./channel.ts";
import { createChannel } from "./encrypted-channel.ts";
import { PROTOCOL_VERSION } from "./messages.ts";

export interface OpenChannelRequest {
  /** The dialer is the client. */
  readonly role: "client" | "server";
  readonly expectedPeerId: PeerId | undefined;
  readonly signal: AbortSignal;
}

export type OpenOutcome =
  | { readonly kind: "opened"; readonly channel: Channel }
  /** The connection has been ended. */
  | { readonly kind: "failed"; readonly reason: HandshakeFailure };

/** Never rejects; ends by itself within HANDSHAKE_MS_MAX. The connection is the channel's from then on. */
export type OpenChannel = (connection: Connection, request: OpenChannelRequest) => Promise<OpenOutcome>;

/** The real one: every channel of this instance is opened with the same identity and passphrase. */
export function channelOpener(options: {
  /** See `passphraseBytes`; `undefined`: none is used. */
  readonly passphrase?: Uint8Array | undefined;
  readonly identity: Identity;
  readonly aead: Aead;
  readonly curves?: Curves;
  readonly random: Random;
  readonly clock: Clock;
}): OpenChannel {
  return async (connection, { role, expectedPeerId, signal }) => {
    const handshake = { ...options, role, expectedPeerId, signal, version: PROTOCOL_VERSION };
    const outcome = await performHandshake(connection, handshake);
    if (outcome.kind === "failed") return outcome;
    const { secrets, leftover } = outcome;
    const { aead } = options;
    const isDialer = role === "client";
    return { kind: "opened", channel: createChannel({ connection, secrets, leftover, aead, isDialer }) };
  };
}
