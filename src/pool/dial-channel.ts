// Dials an address and makes a channel of the connection, up to but without the hello.

import { errnoOf, messageOf } from "../core/errors.ts";
import type { PeerId } from "../core/ids.ts";
import type { Clock } from "../edge/clock.ts";
import type { Connection, Network } from "../edge/network.ts";
import type { HandshakeFailure } from "../handshake/handshake-failure.ts";
import type { OpenChannel } from "./open-channel.ts";
import { PoolChannel } from "./pool-channel.ts";

export interface DialChannelOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly openChannel: OpenChannel;
  readonly host: string;
  readonly port: number;
  readonly expectedPeerId: PeerId | undefined;
  /** For the connection to stand; the handshake has its own limit. */
  readonly connectMsMax: number;
  readonly signal: AbortSignal;
}

export type DialChannelOutcome =
  | { readonly kind: "opened"; readonly channel: PoolChannel }
  /** `detail`: for a person. */
  | { readonly kind: "unreachable"; readonly detail: string }
  | { readonly kind: "failed"; readonly reason: HandshakeFailure };

/** Never rejects. */
export async function dialChannel(options: DialChannelOptions): Promise<DialChannelOutcome> {
  const { clock, openChannel, expectedPeerId, signal } = options;
  let connection: Connection;
  try {
    connection = await connect(options);
  } catch (error) {
    return { kind: "unreachable", detail: explain(error) };
  }
  const outcome = await openChannel(connection, { role: "client", expectedPeerId, signal });
  if (outcome.kind === "failed") return outcome;
  return { kind: "opened", channel: new PoolChannel({ channel: outcome.channel, connection }, clock) };
}

async function connect({ network, clock, host, port, connectMsMax, signal }: DialChannelOptions): Promise<Connection> {
  const abort = new AbortController();
  const giveUp = () => abort.abort();
  const timer = clock.after(connectMsMax, giveUp);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    return await network.dial(host, port, abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? new Error(`no answer within ${connectMsMax} ms`) : error;
  } finally {
    timer.clear();
    signal.removeEventListener("abort", giveUp);
  }
}

const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOTFOUND", "no such host name is known"],
  ["EAI_AGAIN", "no such host name is known"],
  ["EHOSTUNREACH", "there is no way to that address"],
  ["ENETUNREACH", "there is no way to that address"],
]);

function explain(error: unknown): string {
  return EXPLANATIONS.get(errnoOf(error) ?? "") ?? messageOf(error);
}
