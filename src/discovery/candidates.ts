// Which of the addresses in a datagram are worth dialling. Announcements prove nothing, so an address must lie on the
// network where it was announced, or at least be private: nobody can point an instance at the Internet or at itself.

import { BlockList, isIPv4 } from "node:net";
import { isLinkLocal6, type LocalInterface } from "./interfaces.ts";

/** An address to dial. */
export interface Candidate {
  /** An IP address; with `%zone` if it is link-local IPv6. */
  readonly host: string;
  readonly port: number;
  /** The interface on which it was announced. */
  readonly interface: string;
}

// A reflector may carry announcements from a neighbouring network, whose addresses are routed.
const privateNetworks = new BlockList();
privateNetworks.addSubnet("10.0.0.0", 8, "ipv4");
privateNetworks.addSubnet("172.16.0.0", 12, "ipv4");
privateNetworks.addSubnet("192.168.0.0", 16, "ipv4");
privateNetworks.addSubnet("fc00::", 7, "ipv6");

export interface CandidateRequest {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly interface: LocalInterface;
  /** Of that interface. */
  readonly subnets: BlockList;
}

/** In the order in which they were announced. */
export function candidatesOf({ addresses, port, interface: local, subnets }: CandidateRequest): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const address of addresses) {
    const host = hostOf(address, local, subnets);
    if (host !== undefined) candidates.push({ host, port, interface: local.name });
  }
  return candidates;
}

/** Best first: loopback, IPv4, routable IPv6, link-local IPv6. */
export function sortCandidates(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((left, right) => rank(left.host) - rank(right.host));
}

function hostOf(address: string, local: LocalInterface, subnets: BlockList): string | undefined {
  if (isLinkLocal6(address)) return local.loopback ? undefined : `${address}%${local.zone}`;
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  return subnets.check(address, family) || privateNetworks.check(address, family) ? address : undefined;
}

function rank(host: string): number {
  if (host.startsWith("127.")) return 0;
  if (isIPv4(host)) return 1;
  return isLinkLocal6(host) ? 3 : 2;
}
