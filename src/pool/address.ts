// What an IP address says about who is behind it: local or not, and which ones count as one host. Pure; no lookups.

import { isIPv4, isIPv6 } from "node:net";

/**
 * True for loopback, link-local and private addresses: 127/8, 10/8, 172.16/12, 192.168/16, 169.254/16, `::1`, `fe80::/10`,
 * `fc00::/7`, and the IPv4-mapped forms. False for everything else, host names included. 100.64/10 is not local: it is
 * shared among a carrier's customers (RFC 6598 §4), who are strangers.
 */
export function isLocalAddress(host: string): boolean {
  const octets = ipv4Octets(host);
  if (octets !== undefined) return isLocalIpv4(octets);
  const groups = ipv6Groups(host);
  if (groups === undefined) return false;
  const [first = 0] = groups;
  const isLoopback = groups.every((group, position) => group === (position === 7 ? 1 : 0));
  return isLoopback || isLinkLocal(first) || (first & 0xfe00) === 0xfc00;
}

/**
 * What a per-address limit counts by: one IPv4 address, or the /64 of an IPv6 address, since a host picks the other 64 bits
 * at will. Link-local addresses all share one /64, so they count one by one (they cannot come from beyond the link).
 */
export function addressKey(host: string): string {
  const octets = ipv4Octets(host);
  if (octets !== undefined) return octets.join(".");
  const groups = ipv6Groups(host);
  if (groups === undefined) return host;
  const [first = 0] = groups;
  const significant = isLinkLocal(first) ? groups : groups.slice(0, 4);
  return significant.map((group) => group.toString(16)).join(":");
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLocalIpv4([a = 0, b = 0]: readonly number[]): boolean {
  return (
    a === 127 || a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254)
  );
}

function isLinkLocal(firstGroup: number): boolean {
  return (firstGroup & 0xffc0) === 0xfe80;
}

/** The four octets of an IPv4 or IPv4-mapped address. */
function ipv4Octets(host: string): readonly number[] | undefined {
  if (isIPv4(host)) return host.split(".").map(Number);
  const groups = ipv6Groups(host);
  if (groups === undefined) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? [high >> 8, high & 0xff, low >> 8, low & 0xff] : undefined;
}

/** The eight 16-bit groups of an IPv6 address; its zone is left out. */
function ipv6Groups(host: string): readonly number[] | undefined {
  const [address = ""] = host.split("%");
  if (!isIPv6(address)) return undefined;
  const [head = "", tail] = address.split("::");
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function groupsOf(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
