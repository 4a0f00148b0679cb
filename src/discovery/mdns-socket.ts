// The real multicast DNS socket: one per endpoint, over the multicast-dns package. It shares UDP port 5353 with whatever
// else runs there (other instances, avahi, mDNSResponder).

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import makeMdns from "multicast-dns";
import { assertNever } from "../core/assert.ts";
import { isWorthDecoding } from "./datagram-filter.ts";
import type { DnsQuestion, DnsRecord, IncomingMessage, OutgoingMessage } from "./dns.ts";
import type { Endpoint } from "./interfaces.ts";
import { MDNS_PORT, type MdnsHandlers, type MdnsSocket } from "./mdns.ts";

/** RFC 6762 §11. */
const MULTICAST_TTL = 255;

/** Opens a socket that sends on `endpoint` alone. `port`: for tests. */
export function openMdnsSocket(endpoint: Endpoint, handlers: MdnsHandlers, port = MDNS_PORT): MdnsSocket {
  const socket = createSocket({
    type: endpoint.family === "IPv4" ? "udp4" : "udp6",
    reuseAddr: true,
    // Otherwise it receives what the IPv4 sockets receive, too.
    ipv6Only: endpoint.family === "IPv6",
  });
  const mdns = makeMdns({
    socket,
    port,
    multicast: true,
    loopback: true,
    ttl: MULTICAST_TTL,
    ...groupOf(endpoint),
  });
  guard(socket);

  let isOpen = true;
  const report = (error: Error): void => {
    // Anything else is a datagram that could not be decoded: its sender's affair.
    if (isOpen && "syscall" in error) handlers.onProblem(error);
  };
  mdns.on("error", report);
  mdns.on("warning", report);
  mdns.on("packet", (packet: makeMdns.FullPacket, { address, port: sourcePort }: RemoteInfo) => {
    if (isOpen) handlers.onMessage(messageOf(packet), { address, port: sourcePort });
  });

  // A socket that is closed before it has opened never calls back.
  const waiting = new Set<() => void>();
  return {
    send: (message, destination) =>
      new Promise((resolve) => {
        if (!isOpen) return resolve();
        waiting.add(resolve);
        const settle = (error?: Error | null): void => {
          if (error !== null && error !== undefined) report(error);
          waiting.delete(resolve);
          resolve();
        };
        const packet = packetOf(message);
        if (message.type === "query") mdns.query(packet, destination, settle);
        else mdns.respond(packet, destination, settle);
      }),
    close: () => {
      isOpen = false;
      mdns.destroy();
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}

/**
 * Binding to the interface's own address would receive no multicast on Linux; binding to all of them receives that of every
 * interface, which the receiver tells apart by the source address.
 */
function groupOf({ interface: local, family }: Endpoint): makeMdns.Options {
  if (family === "IPv6") return { type: "udp6", ip: "ff02::fb", interface: `::%${local.zone}`, bind: "::" };
  const address = local.addresses.find((each) => each.family === "IPv4");
  return {
    type: "udp4",
    bind: "0.0.0.0",
    ...(address === undefined ? {} : { interface: address.address }),
  };
}

/** Puts the filter in front of the package's decoder. */
function guard(socket: Socket): void {
  const decoders = socket.listeners("message");
  socket.removeAllListeners("message");
  socket.on("message", (datagram, source) => {
    if (!isWorthDecoding(datagram)) return;
    for (const decode of decoders) Reflect.apply(decode, socket, [datagram, source]);
  });
}

function messageOf({ type, id, questions, answers, additionals }: makeMdns.FullPacket): IncomingMessage {
  return {
    type: type ?? "query",
    id: id ?? 0,
    questions: questions ?? [],
    answers: answers ?? [],
    additionals: additionals ?? [],
  };
}

type Packet = makeMdns.ResponseOutgoingPacket & makeMdns.QueryOutgoingPacket;

function packetOf({ id, questions, answers }: OutgoingMessage): Packet {
  return { id, questions: questions.map(questionOf), answers: answers.map(answerOf) };
}

// The package knows ANY, its types do not.
function questionOf({ name, type }: DnsQuestion): Packet["questions"][number] {
  return { name, type: type as Packet["questions"][number]["type"] };
}

function answerOf(record: DnsRecord): Packet["answers"][number] {
  const { name, ttl, flush } = record;
  const common = { name, ttl, flush, class: "IN" } as const;
  switch (record.type) {
    case "TXT":
      return { ...common, type: record.type, data: [...record.data] };
    case "SRV":
      return { ...common, type: record.type, data: { ...record.data, priority: 0, weight: 0 } };
    case "PTR":
    case "A":
    case "AAAA":
      return { ...common, type: record.type, data: record.data };
    default:
      return assertNever(record);
  }
}
