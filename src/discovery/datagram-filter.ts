// Which datagrams are worth decoding. A network's mDNS chatter is mostly about other things, and hostile names (chains
// of pointers) cost far more to decode than to send. Pure.

import { MDNS_DATAGRAM_BYTES_MAX } from "../core/limits.ts";

const HEADER_BYTES = 12;
/** Questions and records of all sections: the smallest takes 5 bytes, ours take a few dozen. */
const RECORDS_MAX = 256;

/** True for what is of a fit size and speaks of dsync, or asks which services there are. */
export function isWorthDecoding(datagram: Buffer): boolean {
  if (datagram.length < HEADER_BYTES || datagram.length > MDNS_DATAGRAM_BYTES_MAX) return false;
  let records = 0;
  for (let offset = 4; offset < HEADER_BYTES; offset += 2) records += datagram.readUInt16BE(offset);
  if (records > RECORDS_MAX) return false;
  const text = datagram.toString("latin1", HEADER_BYTES).toLowerCase();
  return text.includes("dsync") || text.includes("_dns-sd");
}
