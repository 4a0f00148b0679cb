import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import { DISCOVERED_PEERS_MAX, PEER_CANDIDATES_MAX } from "../core/limits.ts";
import type { FoundService } from "./parse-services.ts";
import { PeerTable, type DiscoveryEvent } from "./peer-table.ts";

interface Heard {
  readonly id: number;
  readonly on: string;
  readonly hosts: readonly string[];
  readonly nowMs: number;
  readonly ttlSeconds?: number;
}

function peerId(number: number): PeerId {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(number);
  return peerIdFromBytes(bytes);
}

function hear(table: PeerTable, { id, on, hosts, nowMs, ttlSeconds = 120 }: Heard): readonly DiscoveryEvent[] {
  const service: FoundService = {
    instanceName: `x-${id}`,
    peerId: peerId(id),
    name: "x",
    shareHash: "00000000",
    version: 1,
    host: "x.local",
    port: 7000,
    addresses: hosts,
    ttlSeconds,
  };
  const candidates = hosts.map((host) => ({ host, port: 7000, interface: on }));
  return table.record({ service, interface: on, candidates, nowMs });
}

test("a flood of peers fills the table and no more, and leaves those alone that are there", () => {
  const table = new PeerTable();
  hear(table, { id: 0, on: "eth0", hosts: ["10.0.0.1"], nowMs: 0 });
  for (let id = 1; id < 10_000; id++) {
    hear(table, { id, on: "eth0", hosts: [`10.1.${id >> 8}.${id & 255}`], nowMs: 0 });
  }
  assert.equal(table.size, DISCOVERED_PEERS_MAX);
  assert.deepEqual(hear(table, { id: 0, on: "eth0", hosts: ["10.0.0.1"], nowMs: 60_000 }), []);
  assert.equal(table.expire(120_000).length, DISCOVERED_PEERS_MAX - 1);
  assert.equal(table.size, 1);
});

test("an announcement without an address to dial says nothing", () => {
  const table = new PeerTable();
  assert.deepEqual(hear(table, { id: 1, on: "eth0", hosts: [], nowMs: 0 }), []);
  assert.equal(table.size, 0);
});

test("the same address on another interface is another machine", () => {
  const table = new PeerTable();
  hear(table, { id: 1, on: "eth0", hosts: ["10.0.0.1"], nowMs: 0 });
  const events = hear(table, { id: 2, on: "wlan0", hosts: ["10.0.0.1"], nowMs: 0 });
  assert.deepEqual(
    events.map((event) => event.kind),
    ["found"],
  );
  assert.equal(table.size, 2);
});

test("loopback comes first, link-local IPv6 last, and the list is bounded", () => {
  const table = new PeerTable();
  hear(table, { id: 1, on: "eth0", hosts: ["fe80::1%eth0", "fd00::1", "10.0.0.1"], nowMs: 0 });
  const [event] = hear(table, { id: 1, on: "lo", hosts: ["127.0.0.1"], nowMs: 0 });
  assert.ok(event?.kind === "found");
  assert.deepEqual(
    event.peer.candidates.map(({ host }) => host),
    ["127.0.0.1", "10.0.0.1", "fd00::1", "fe80::1%eth0"],
  );
  for (let place = 0; place < 20; place++) {
    const hosts = [`10.0.${place}.1`, `10.0.${place}.2`];
    for (const one of hear(table, { id: 1, on: `br${place}`, hosts, nowMs: 0 })) {
      assert.ok(one.kind === "found" && one.peer.candidates.length <= PEER_CANDIDATES_MAX);
    }
  }
});

test("whatever is heard, events of one peer alternate and no two peers share a place", () => {
  const steps = fc.array(
    fc.record({
      id: fc.nat(5),
      on: fc.constantFrom("eth0", "wlan0"),
      hosts: fc.subarray(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
      ttlSeconds: fc.constantFrom(0, 10, 120),
      waitMs: fc.nat(20_000),
      next: fc.constantFrom("nothing", "expire", "unplug"),
    }),
  );
  fc.assert(
    fc.property(steps, (steps) => {
      const table = new PeerTable();
      const isThere = new Set<PeerId>();
      const places = new Map<string, PeerId>();
      let nowMs = 0;
      const follow = (events: readonly DiscoveryEvent[]): void => {
        for (const event of events) {
          if (event.kind === "lost") {
            assert.ok(isThere.delete(event.peerId), "lost without having been found");
            for (const [place, id] of places) if (id === event.peerId) places.delete(place);
            continue;
          }
          isThere.add(event.peer.peerId);
          for (const { host, interface: name } of event.peer.candidates) {
            const holder = places.get(`${name} ${host}`) ?? event.peer.peerId;
            assert.ok(holder === event.peer.peerId || !isThere.has(holder), "two peers in one place");
          }
        }
      };
      for (const { next, waitMs, ...heard } of steps) {
        nowMs += waitMs;
        follow(hear(table, { ...heard, nowMs }));
        if (next === "expire") follow(table.expire(nowMs));
        if (next === "unplug") follow(table.forgetInterface("eth0"));
        assert.equal(table.size, isThere.size);
      }
      follow(table.expire(Number.POSITIVE_INFINITY));
      assert.equal(isThere.size, 0);
    }),
  );
});
