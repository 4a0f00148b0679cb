// Reads services out of an mDNS response. Anybody on the network can send one, so every field is checked and
// every list is bounded; what does not fit is left out without a word. Pure, and never throws.

import { isIPv4, isIPv6 } from "node:net";
import { parsePeerId, type PeerId } from "../core/ids.ts";
import {
  NAME_BYTES_MAX,
  SERVICE_ADDRESSES_MAX,
  SERVICE_TTL_SECONDS,
  SERVICES_PER_DATAGRAM_MAX,
} from "../core/limits.ts";
import { fieldOf, normalizeName, type IncomingMessage } from "./dns.ts";
import { SERVICE_TYPE } from "./service-records.ts";

/** A service as one datagram shows it. Nothing in it is proven before the handshake. */
export interface FoundService {
  readonly instanceName: string;
  readonly peerId: PeerId;
  /** 1 to 63 bytes, of any characters: escape it before printing. */
  readonly name: string;
  /** 8 hex digits. */
  readonly shareHash: string;
  readonly version: number;
  readonly host: string;
  readonly port: number;
  /** IP addresses without zones, as announced: possibly none, possibly not the sender's. */
  readonly addresses: readonly string[];
  /** 0: the service says goodbye. */
  readonly ttlSeconds: number;
}

/** More records than fit a datagram: the smallest one takes 11 bytes. */
const RECORDS_MAX = 256;
const TXT_STRINGS_MAX = 16;

interface ParsedRecord {
  readonly type: string;
  /** Normalized. */
  readonly name: string;
  readonly ttl: number;
  readonly data: unknown;
}

/** The services whose SRV and TXT records are both in `message`; addresses and PTR are taken from there too. */
export function parseServices(message: IncomingMessage): readonly FoundService[] {
  if (message.type !== "response") return [];
  const records = [...message.answers.slice(0, RECORDS_MAX), ...message.additionals.slice(0, RECORDS_MAX)]
    .slice(0, RECORDS_MAX)
    .map(parseRecord)
    .filter((record) => record !== undefined);
  const services = new Map<string, FoundService>();
  for (const record of records) {
    if (services.size >= SERVICES_PER_DATAGRAM_MAX) break;
    if (record.type !== "SRV" || services.has(record.name) || !record.name.endsWith(`.${SERVICE_TYPE}`)) continue;
    const service = serviceOf(record, records);
    if (service !== undefined) services.set(record.name, service);
  }
  return [...services.values()];
}

function serviceOf(srv: ParsedRecord, records: readonly ParsedRecord[]): FoundService | undefined {
  const port = fieldOf(srv.data, "port");
  const host = fieldOf(srv.data, "target");
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (typeof host !== "string") return undefined;
  const text = records.find((record) => record.type === "TXT" && record.name === srv.name);
  const attributes = text === undefined ? undefined : parseAttributes(text.data);
  if (attributes === undefined) return undefined;
  const pointer = records.find(
    ({ type, name, data }) =>
      type === "PTR" && name === SERVICE_TYPE && typeof data === "string" && normalizeName(data) === srv.name,
  );
  return {
    instanceName: srv.name,
    ...attributes,
    host,
    port,
    addresses: addressesOf(normalizeName(host), records),
    // Believed no longer than an honest instance asks, so that nobody can fill the memory for long.
    ttlSeconds: Math.min(srv.ttl, pointer?.ttl ?? srv.ttl, SERVICE_TTL_SECONDS),
  };
}

function addressesOf(host: string, records: readonly ParsedRecord[]): readonly string[] {
  const addresses = new Set<string>();
  for (const { type, name, data } of records) {
    if (addresses.size >= SERVICE_ADDRESSES_MAX) break;
    if (name !== host || typeof data !== "string" || data.includes("%")) continue;
    if ((type === "A" && isIPv4(data)) || (type === "AAAA" && isIPv6(data))) addresses.add(data);
  }
  return [...addresses];
}

type Attributes = Pick<FoundService, "peerId" | "name" | "shareHash" | "version">;

function parseAttributes(data: unknown): Attributes | undefined {
  if (!Array.isArray(data)) return undefined;
  const values = new Map<string, string>();
  for (const item of data.slice(0, TXT_STRINGS_MAX)) {
    const text = textOf(item);
    const equals = text?.indexOf("=") ?? -1;
    if (text === undefined || equals < 1) continue;
    const key = text.slice(0, equals).toLowerCase();
    // The first one counts (RFC 6763 §6.4).
    if (!values.has(key)) values.set(key, text.slice(equals + 1));
  }
  const peerId = parsePeerId(values.get("id"));
  const name = values.get("name") ?? "";
  const shareHash = values.get("share") ?? "";
  const version = values.get("v") ?? "";
  if (peerId === undefined || !/^[0-9a-f]{8}$/.test(shareHash) || !/^[1-9][0-9]{0,4}$/.test(version)) return undefined;
  if (name === "" || Buffer.byteLength(name) > NAME_BYTES_MAX) return undefined;
  return { peerId, name, shareHash, version: Number(version) };
}

/** A TXT string: at most 255 bytes of UTF-8. */
function textOf(item: unknown): string | undefined {
  if (typeof item === "string") return item.length <= 255 && item.isWellFormed() ? item : undefined;
  if (!(item instanceof Uint8Array) || item.length > 255) return undefined;
  const text = Buffer.from(item).toString("utf8");
  return text.includes("\uFFFD") ? undefined : text;
}

function parseRecord(value: unknown): ParsedRecord | undefined {
  const type = fieldOf(value, "type");
  const name = fieldOf(value, "name");
  const ttl = fieldOf(value, "ttl");
  if (typeof type !== "string" || typeof name !== "string" || name.length > 255) return undefined;
  if (typeof ttl !== "number" || !Number.isInteger(ttl) || ttl < 0) return undefined;
  return { type, name: normalizeName(name), ttl, data: fieldOf(value, "data") };
}
