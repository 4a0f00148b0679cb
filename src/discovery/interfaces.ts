// Which network interfaces discovery uses, and what changed since it last looked. Pure: the list comes in.

import { BlockList } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { DISCOVERY_LINKS_MAX, SERVICE_ADDRESSES_MAX } from "../core/limits.ts";

export type AddressFamily = "IPv4" | "IPv6";

/** One interface seen through one address family: what a multicast socket belongs to. */
export interface Endpoint {
  readonly interface: LocalInterface;
  readonly family: AddressFamily;
}

/** An interface that is up, with at least one address. */
export interface LocalInterface {
  readonly name: string;
  /** What follows `%` in link-local addresses: its name, or on Windows its number. */
  readonly zone: string;
  readonly loopback: boolean;
  /** IPv4 first, then IPv6 with link-local last. */
  readonly addresses: readonly LocalAddress[];
  /** Equal as long as nothing about the interface has changed; a device that was made anew is a change. */
  readonly fingerprint: string;
}

export interface LocalAddress {
  readonly family: AddressFamily;
  readonly address: string;
  readonly prefixLength: number;
}

/** `list`: what `os.networkInterfaces()` gives. `zones`: how this system names zones. */
export function parseInterfaces(
  list: NodeJS.Dict<readonly NetworkInterfaceInfo[]>,
  zones: "names" | "numbers",
): readonly LocalInterface[] {
  const interfaces: LocalInterface[] = [];
  for (const [name, infos = []] of Object.entries(list)) {
    const addresses = infos.map(parseAddress).filter((address) => address !== undefined);
    if (addresses.length === 0) continue;
    addresses.sort((left, right) => rank(left) - rank(right));
    const scope = infos.map(scopeOf).find((number) => number > 0) ?? 0;
    interfaces.push({
      name,
      zone: zones === "numbers" && scope > 0 ? String(scope) : name,
      loopback: infos.some((info) => info.internal),
      addresses,
      fingerprint: JSON.stringify([infos[0]?.mac, scope, addresses]),
    });
  }
  return interfaces;
}

/**
 * The endpoints to open, IPv4 ones first, at most {@link DISCOVERY_LINKS_MAX}. IPv6 needs a link-local address, which
 * loopback lacks; IPv4 multicast works there, also where the interface does not claim to be able to.
 */
export function endpointsOf(interfaces: readonly LocalInterface[]): readonly Endpoint[] {
  const having = (family: AddressFamily, holds: (address: LocalAddress) => boolean): readonly Endpoint[] =>
    interfaces.filter((each) => each.addresses.some(holds)).map((each) => ({ interface: each, family }));
  return [
    ...having("IPv4", (address) => address.family === "IPv4"),
    ...having("IPv6", (address) => isLinkLocal6(address.address)),
  ].slice(0, DISCOVERY_LINKS_MAX);
}

/** Names of interfaces by what happened to them. */
export interface InterfaceChanges {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
}

export function diffInterfaces(before: readonly LocalInterface[], after: readonly LocalInterface[]): InterfaceChanges {
  const old = new Map(before.map((each) => [each.name, each.fingerprint]));
  const names = new Set(after.map((each) => each.name));
  return {
    removed: before.filter((each) => !names.has(each.name)).map((each) => each.name),
    added: after.filter((each) => !old.has(each.name)).map((each) => each.name),
    changed: after
      .filter((each) => old.has(each.name) && old.get(each.name) !== each.fingerprint)
      .map((each) => each.name),
  };
}

/** What to announce on the interface: its own addresses and no others. */
export function announcedAddresses(local: LocalInterface): readonly string[] {
  return local.addresses.slice(0, SERVICE_ADDRESSES_MAX).map(({ address }) => address);
}

/** The addresses that the interface reaches without a router. */
export function subnetsOf(local: LocalInterface): BlockList {
  const subnets = new BlockList();
  for (const { address, prefixLength, family } of local.addresses) {
    subnets.addSubnet(address, prefixLength, family === "IPv4" ? "ipv4" : "ipv6");
  }
  return subnets;
}

/** True for `fe80::/10`. */
export function isLinkLocal6(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

function parseAddress(info: NetworkInterfaceInfo): LocalAddress | undefined {
  const prefixLength = Number(info.cidr?.split("/")[1] ?? Number.NaN);
  if (!Number.isInteger(prefixLength)) return undefined;
  const { family, address } = info;
  return { family, address, prefixLength };
}

function scopeOf(info: NetworkInterfaceInfo): number {
  return info.family === "IPv6" ? info.scopeid : 0;
}

function rank({ family, address }: LocalAddress): number {
  if (family === "IPv4") return 0;
  return isLinkLocal6(address) ? 2 : 1;
}
