// What an instance says of itself on the network: a DNS-SD service (RFC 6763) as mDNS records. Pure.

import { isIPv4 } from "node:net";
import { blake3 } from "@noble/hashes/blake3.js";
import { shortId, type PeerId } from "../core/ids.ts";
import { SERVICE_ADDRESSES_MAX } from "../core/limits.ts";
import type { DnsQuestion, DnsRecord } from "./dns.ts";
import { sameName } from "./dns.ts";

/** What every dsync service is listed under. */
export const SERVICE_TYPE = "_dsync._tcp.local";
/** What every kind of service is listed under (RFC 6763 §9). */
export const SERVICE_TYPES = "_services._dns-sd._udp.local";

/** DNS's longest label. */
const LABEL_BYTES_MAX = 63;

/** What an instance announces. */
export interface Service {
  readonly peerId: PeerId;
  /** The instance's friendly name. */
  readonly name: string;
  /** See {@link shareHash}. */
  readonly shareHash: string;
  /** Of the wire protocol. */
  readonly version: number;
  /** TCP. */
  readonly port: number;
}

/** A share's name as the network sees it: the first 8 hex digits of its BLAKE3. Tells shares apart, hides nothing. */
export function shareHash(share: string): string {
  return Buffer.from(blake3(Buffer.from(share)).subarray(0, 4)).toString("hex");
}

export interface Announcement {
  readonly service: Service;
  /** The machine's, on the network in question. */
  readonly addresses: readonly string[];
  /** 0 takes the records back. */
  readonly ttlSeconds: number;
  /** False in answers to one-shot queries, which must not flush any cache (RFC 6762 §6.7). */
  readonly flush: boolean;
}

/** All records of a service on one network. */
export function buildAnnouncement({ service, addresses, ttlSeconds: ttl, flush }: Announcement): readonly DnsRecord[] {
  const instance = instanceName(service);
  const host = hostName(service);
  const shared = { ttl, flush: false };
  const unique = { ttl, flush };
  const records: DnsRecord[] = [{ type: "PTR", name: SERVICE_TYPE, ...shared, data: instance }];
  // Others may still offer this type of service, so it is never taken back.
  if (ttl > 0) records.push({ type: "PTR", name: SERVICE_TYPES, ...shared, data: SERVICE_TYPE });
  records.push({
    type: "SRV",
    name: instance,
    ...unique,
    data: { port: service.port, target: host },
  });
  records.push({ type: "TXT", name: instance, ...unique, data: textOf(service) });
  for (const address of addresses.slice(0, SERVICE_ADDRESSES_MAX)) {
    records.push({ type: isIPv4(address) ? "A" : "AAAA", name: host, ...unique, data: address });
  }
  return records;
}

/** True if `question` asks for something that {@link buildAnnouncement} gives. */
export function asksFor(service: Service, question: DnsQuestion): boolean {
  const asks = (name: string, ...types: readonly string[]): boolean =>
    sameName(question.name, name) && (question.type === "ANY" || types.includes(question.type));
  return (
    asks(SERVICE_TYPE, "PTR") ||
    asks(SERVICE_TYPES, "PTR") ||
    asks(instanceName(service), "SRV", "TXT") ||
    asks(hostName(service), "A", "AAAA")
  );
}

/** `<name>-<8 hex of the peer ID>._dsync._tcp.local`: readable, and two instances of one name do not fight over it. */
export function instanceName(service: Service): string {
  const suffix = `-${shortId(service.peerId)}`;
  // A dot would split the label in two.
  const name = service.name.replace(/[\p{Cc}.\\]/gu, "-");
  return `${truncateBytes(name, LABEL_BYTES_MAX - suffix.length)}${suffix}.${SERVICE_TYPE}`;
}

/** `dsync-<16 hex of the peer ID>.local`: not the machine's own name, which belongs to the system's responder. */
export function hostName(service: Service): string {
  return `dsync-${service.peerId.slice(0, 16)}.local`;
}

function textOf(service: Service): readonly string[] {
  return [
    `id=${service.peerId}`,
    `name=${truncateBytes(service.name, LABEL_BYTES_MAX)}`,
    `share=${service.shareHash}`,
    `v=${service.version}`,
  ];
}

/** Cuts between characters. */
function truncateBytes(text: string, bytesMax: number): string {
  let kept = "";
  let bytes = 0;
  for (const character of text.toWellFormed()) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    kept += character;
  }
  return kept;
}
