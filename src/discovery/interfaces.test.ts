import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkInterfaceInfo } from "node:os";
import { DISCOVERY_LINKS_MAX } from "../core/limits.ts";
import { localInterface } from "../../test/support/memory-mdns.ts";
import { candidatesOf } from "./candidates.ts";
import { diffInterfaces, endpointsOf, parseInterfaces, subnetsOf, type LocalInterface } from "./interfaces.ts";

const mac = "02:00:00:00:00:01";
const v4 = (address: string, bits = 24): NetworkInterfaceInfo => ({
  family: "IPv4",
  address,
  cidr: `${address}/${bits}`,
  netmask: "",
  mac,
  internal: address.startsWith("127."),
});
const v6 = (address: string, scopeid = 0): NetworkInterfaceInfo => ({
  family: "IPv6",
  address,
  cidr: `${address}/64`,
  netmask: "",
  mac,
  internal: address === "::1",
  scopeid,
});

const keys = (interfaces: readonly LocalInterface[]): readonly string[] =>
  endpointsOf(interfaces).map((endpoint) => `${endpoint.interface.name} ${endpoint.family}`);

test("every interface with an IPv4 or a link-local address is used, loopback included", () => {
  const interfaces = parseInterfaces(
    {
      lo: [v4("127.0.0.1", 8), v6("::1")],
      eth0: [v6("fe80::1", 2), v6("fd00::1"), v4("10.0.0.1")],
      veth1: [v6("fe80::2", 3)],
      tun0: [v6("fd00::9")],
      odd: [{ ...v4("10.9.9.9"), cidr: null }],
    },
    "names",
  );
  assert.deepEqual(keys(interfaces), ["lo IPv4", "eth0 IPv4", "eth0 IPv6", "veth1 IPv6"]);
  const eth0 = interfaces.find(({ name }) => name === "eth0");
  assert.deepEqual(
    eth0?.addresses.map(({ address }) => address),
    ["10.0.0.1", "fd00::1", "fe80::1"],
  );
});

test("a machine full of virtual interfaces does not use up its sockets, and IPv4 goes first", () => {
  const list: Record<string, NetworkInterfaceInfo[]> = {};
  for (let count = 0; count < 200; count++) list[`veth${count}`] = [v6(`fe80::${count + 1}`, count + 1)];
  list["eth0"] = [v4("10.0.0.1")];
  const endpoints = keys(parseInterfaces(list, "names"));
  assert.equal(endpoints.length, DISCOVERY_LINKS_MAX);
  assert.equal(endpoints[0], "eth0 IPv4");
});

test("zones are names, or numbers where the system wants them", () => {
  const list = { Ethernet: [v4("10.0.0.1"), v6("fe80::1", 7)], Loopback: [v4("127.0.0.1", 8)] };
  assert.deepEqual(
    parseInterfaces(list, "names").map(({ zone }) => zone),
    ["Ethernet", "Loopback"],
  );
  assert.deepEqual(
    parseInterfaces(list, "numbers").map(({ zone }) => zone),
    ["7", "Loopback"],
  );
});

test("a new address, and a device made anew, are changes; the order of the list is none", () => {
  const parse = (list: Readonly<Record<string, readonly NetworkInterfaceInfo[]>>): readonly LocalInterface[] =>
    parseInterfaces(list, "names");
  const before = parse({ a: [v4("10.0.0.1")], b: [v4("10.1.0.1")], c: [v6("fe80::1", 3)] });
  assert.deepEqual(diffInterfaces(before, before.toReversed()), {
    removed: [],
    added: [],
    changed: [],
  });
  const after = parse({ b: [v4("10.1.0.2")], c: [v6("fe80::1", 9)], d: [v4("10.2.0.1")] });
  assert.deepEqual(diffInterfaces(before, after), {
    removed: ["a"],
    added: ["d"],
    changed: ["b", "c"],
  });
});

test("only addresses that belong to the network where they were announced are dialled", () => {
  const hostsOn = (local: LocalInterface, ...addresses: readonly string[]): readonly string[] =>
    candidatesOf({ addresses, port: 1, interface: local, subnets: subnetsOf(local) }).map(({ host }) => host);
  const eth0 = localInterface("eth0", "203.0.113.5/24", "2001:db8::5/64", "fe80::5/64");
  assert.deepEqual(hostsOn(eth0, "203.0.113.9", "2001:db8::9", "fe80::9"), [
    "203.0.113.9",
    "2001:db8::9",
    "fe80::9%eth0",
  ]);
  assert.deepEqual(hostsOn(eth0, "10.0.0.9", "192.168.1.1", "172.16.0.1", "fd00::1").length, 4, "a reflector's");
  const strange = ["127.0.0.1", "::1", "8.8.8.8", "2001:4860::1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb"];
  assert.deepEqual(hostsOn(eth0, ...strange, "255.255.255.255", "169.254.1.1", "::ffff:127.0.0.1"), []);
  const lo = localInterface("lo", "127.0.0.1/8", "::1/128");
  assert.deepEqual(hostsOn(lo, "127.0.0.1", "::1", "fe80::1", "8.8.8.8"), ["127.0.0.1", "::1"]);
});
