// A multicast DNS socket as discovery uses it. The real one is mdns-socket.ts; tests have a bus in memory.

import type { IncomingMessage, OutgoingMessage } from "./dns.ts";
import type { Endpoint } from "./interfaces.ts";

/** UDP. Answers come from this port; a question from another port is a one-shot (RFC 6762 §6.7). */
export const MDNS_PORT = 5353;

/** Where a datagram comes from or goes to. IPv6 link-local addresses carry their `%zone`. */
export interface DatagramAddress {
  readonly address: string;
  readonly port: number;
}

/** A member of the mDNS group on one endpoint. */
export interface MdnsSocket {
  /** Sends to the group, or to one `destination`. Resolves when it has left or failed; a failure goes to `onProblem`. */
  send(message: OutgoingMessage, destination?: DatagramAddress): Promise<void>;
  /** Nothing is reported any more. */
  close(): void;
}

export interface MdnsHandlers {
  /** Every datagram for the group, also those of other interfaces: the kernel gives each to all sockets on the port. */
  onMessage(message: IncomingMessage, source: DatagramAddress): void;
  /** The socket could not be opened, join the group or send. */
  onProblem(error: Error): void;
}

/** Opens in the background. May throw. */
export type OpenMdnsSocket = (endpoint: Endpoint, handlers: MdnsHandlers) => MdnsSocket;
