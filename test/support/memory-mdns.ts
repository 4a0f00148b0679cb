// Networks in memory on which discovery runs: hosts, their interfaces, and the datagrams between them.

import type { IncomingMessage, OutgoingMessage } from "../../src/discovery/dns.ts";
import { isLinkLocal6, parseInterfaces, type Endpoint, type LocalInterface } from "../../src/discovery/interfaces.ts";
import { MDNS_PORT, type DatagramAddress, type MdnsHandlers, type OpenMdnsSocket } from "../../src/discovery/mdns.ts";

/** A datagram as it was sent. */
export interface SentDatagram {
  readonly host: string;
  readonly network: string;
  readonly message: OutgoingMessage;
  readonly destination: DatagramAddress | undefined;
}

interface OpenSocket {
  readonly host: MemoryHost;
  readonly network: string;
  readonly endpoint: Endpoint;
  readonly handlers: MdnsHandlers;
}

/** All networks of one test, each known by its name. */
export class MemoryMdns {
  /** Everything that was sent, in order. */
  readonly sent: SentDatagram[] = [];
  readonly #sockets = new Set<OpenSocket>();

  host(name: string): MemoryHost {
    return new MemoryHost(name, this);
  }

  open(host: MemoryHost, endpoint: Endpoint, handlers: MdnsHandlers): ReturnType<OpenMdnsSocket> {
    const network = `${host.networkOf(endpoint.interface.name)} ${endpoint.family}`;
    const socket = { host, network, endpoint, handlers };
    this.#sockets.add(socket);
    return {
      send: (message, destination) => this.#send(socket, message, destination),
      close: () => void this.#sockets.delete(socket),
    };
  }

  /** Gives `message` to every socket on `network` (`home IPv4`), as if `source` had sent it there. */
  inject(network: string, message: IncomingMessage, source: DatagramAddress): void {
    // The kernel gives a datagram to all sockets of a host that has it on one interface.
    const hosts = new Set([...this.#sockets].filter((each) => each.network === network).map((each) => each.host));
    const [, family] = network.split(" ");
    for (const { host, endpoint, handlers } of this.#sockets) {
      if (!hosts.has(host) || host.isDown || endpoint.family !== family) continue;
      handlers.onMessage(message, { ...source, address: sourceSeenBy(host, network, source.address) });
    }
  }

  async #send(socket: OpenSocket, message: OutgoingMessage, destination: DatagramAddress | undefined): Promise<void> {
    const { host, network, endpoint, handlers } = socket;
    await Promise.resolve();
    if (!this.#sockets.has(socket) || host.isDown) return;
    if (host.sendError !== undefined) return handlers.onProblem(host.sendError);
    this.sent.push({ host: host.name, network, message, destination });
    const own = endpoint.interface.addresses.find(
      ({ family, address }) => family === endpoint.family && (family === "IPv4" || isLinkLocal6(address)),
    );
    if (own !== undefined && destination === undefined) {
      this.inject(network, incoming(message), { address: own.address, port: MDNS_PORT });
    }
  }
}

/** One machine. Interfaces come and go with `plug` and `unplug`. */
export class MemoryHost {
  readonly name: string;
  /** True: nothing leaves or arrives, as after a crash. */
  isDown = false;
  /** What sending fails with. */
  sendError: Error | undefined;
  /** What opening a socket throws. */
  openError: Error | undefined;
  readonly #bus: MemoryMdns;
  readonly #plugged = new Map<string, { readonly network: string; readonly local: readonly LocalInterface[] }>();

  constructor(name: string, bus: MemoryMdns) {
    this.name = name;
    this.#bus = bus;
  }

  readonly interfaces = (): readonly LocalInterface[] => [...this.#plugged.values()].flatMap(({ local }) => local);

  readonly openSocket: OpenMdnsSocket = (endpoint, handlers) => {
    if (this.openError !== undefined) throw this.openError;
    return this.#bus.open(this, endpoint, handlers);
  };

  /** `cidrs`: `10.0.0.1/24`, `fe80::1/64`. */
  plug(name: string, network: string, ...cidrs: readonly string[]): void {
    this.#plugged.set(name, { network, local: [localInterface(name, ...cidrs)] });
  }

  unplug(name: string): void {
    this.#plugged.delete(name);
  }

  networkOf(name: string): string {
    return this.#plugged.get(name)?.network ?? "nowhere";
  }

  /** The name of the interface that is on `network`. */
  interfaceOn(network: string): string | undefined {
    return [...this.#plugged].find(([, plugged]) => plugged.network === network)?.[0];
  }
}

/** An interface as the system would list it. Loopback if its name is `lo`. */
export function localInterface(name: string, ...cidrs: readonly string[]): LocalInterface {
  const infos = cidrs.map((cidr) => {
    const [address = ""] = cidr.split("/");
    const common = { address, cidr, netmask: "", mac: "02:00:00:00:00:01", internal: name === "lo" };
    return address.includes(":")
      ? { ...common, family: "IPv6" as const, scopeid: isLinkLocal6(address) ? 2 : 0 }
      : { ...common, family: "IPv4" as const };
  });
  const [local] = parseInterfaces({ [name]: infos }, "names");
  if (local === undefined) throw new Error(`Not an interface: ${cidrs.join(" ")}`);
  return local;
}

/** As decoding would give it: text as bytes. */
export function incoming({ type, id, questions, answers }: OutgoingMessage): IncomingMessage {
  const decoded = answers.map((record) =>
    record.type === "TXT" ? Object.assign({}, record, { data: record.data.map((text) => Buffer.from(text)) }) : record,
  );
  return { type, id, questions, answers: decoded, additionals: [] };
}

/** The receiver's kernel says on which interface a link-local source was heard. */
function sourceSeenBy(host: MemoryHost, network: string, address: string): string {
  const [name = ""] = network.split(" ");
  return isLinkLocal6(address) ? `${address}%${host.interfaceOn(name)}` : address;
}
