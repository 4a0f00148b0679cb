import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { peerIdFromBytes } from "../core/ids.ts";
import { NAME_BYTES_MAX, SERVICE_ADDRESSES_MAX, SERVICE_TTL_SECONDS } from "../core/limits.ts";
import { incoming } from "../../test/support/memory-mdns.ts";
import type { DnsRecord, IncomingMessage } from "./dns.ts";
import { parseServices } from "./parse-services.ts";
import { asksFor, buildAnnouncement, hostName, instanceName, shareHash, type Service } from "./service-records.ts";

const services: fc.Arbitrary<Service> = fc.record({
  peerId: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(peerIdFromBytes),
  name: fc.string({ minLength: 1, maxLength: 80, unit: "binary" }),
  shareHash: fc.string().map(shareHash),
  version: fc.integer({ min: 1, max: 65_535 }),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const addressLists = fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 12 });

function response(answers: readonly DnsRecord[]): IncomingMessage {
  return incoming({ type: "response", id: 0, questions: [], answers });
}

test("what is announced is what is found", () => {
  fc.assert(
    fc.property(services, addressLists, fc.nat(300), (service, addresses, ttlSeconds) => {
      const [found, ...others] = parseServices(
        response(buildAnnouncement({ service, addresses, ttlSeconds, flush: true })),
      );
      assert.ok(found !== undefined);
      assert.deepEqual(others, []);
      const { peerId, version, port } = service;
      assert.deepEqual(
        [found.peerId, found.shareHash, found.version, found.port, found.addresses],
        [peerId, service.shareHash, version, port, addresses.slice(0, SERVICE_ADDRESSES_MAX)],
      );
      assert.equal(found.ttlSeconds, Math.min(ttlSeconds, SERVICE_TTL_SECONDS));
      const isWhole = Buffer.byteLength(service.name) <= NAME_BYTES_MAX;
      assert.ok(isWhole ? found.name === service.name : service.name.startsWith(found.name));
    }),
  );
});

test("names are valid DNS labels and differ from instance to instance", () => {
  fc.assert(
    fc.property(services, services, (one, two) => {
      for (const name of [instanceName(one), hostName(one)]) {
        for (const label of name.split(".")) {
          const bytes = Buffer.byteLength(label);
          assert.ok(bytes >= 1 && bytes <= 63, label);
        }
      }
      assert.equal(instanceName(one).split(".").length, 4);
      fc.pre(one.peerId.slice(0, 8) !== two.peerId.slice(0, 8));
      assert.notEqual(instanceName(one), instanceName(two));
      assert.notEqual(hostName(one), hostName(two));
    }),
  );
});

test("a name with dots and a long one give readable instance names", () => {
  const peerId = peerIdFromBytes(new Uint8Array(32).fill(0xab));
  const base = { peerId, shareHash: shareHash("default"), version: 1, port: 1 };
  assert.equal(instanceName({ ...base, name: "Bob's mac.local" }), "Bob's mac-local-abababab._dsync._tcp.local");
  assert.equal(instanceName({ ...base, name: "ü".repeat(40) }), `${"ü".repeat(27)}-abababab._dsync._tcp.local`);
});

test("the share's hash is stable, since other versions compute it too", () => {
  assert.equal(shareHash("default"), "f78761cf");
  assert.notEqual(shareHash("default"), shareHash("Default"));
});

test("a goodbye takes back the instance, but not the type of service", () => {
  const peerId = peerIdFromBytes(new Uint8Array(32));
  const service = { peerId, name: "a", shareHash: shareHash("x"), version: 1, port: 1 };
  const records = buildAnnouncement({
    service,
    addresses: ["10.0.0.1"],
    ttlSeconds: 0,
    flush: true,
  });
  assert.deepEqual(
    records.map(({ type, ttl }) => [type, ttl]),
    [
      ["PTR", 0],
      ["SRV", 0],
      ["TXT", 0],
      ["A", 0],
    ],
  );
});

test("it answers for its own names only", () => {
  const peerId = peerIdFromBytes(new Uint8Array(32).fill(1));
  const service = { peerId, name: "alice", shareHash: shareHash("x"), version: 1, port: 1 };
  const asked = (name: string, type: "PTR" | "SRV" | "TXT" | "A" | "AAAA" | "ANY"): boolean =>
    asksFor(service, { name, type });
  assert.ok(asked("_DSYNC._tcp.local.", "PTR"));
  assert.ok(asked("_services._dns-sd._udp.local", "PTR"));
  assert.ok(asked("alice-01010101._dsync._tcp.local", "SRV"));
  assert.ok(asked("alice-01010101._dsync._tcp.local", "ANY"));
  assert.ok(asked("dsync-0101010101010101.local", "AAAA"));
  assert.ok(!asked("alice-01010101._dsync._tcp.local", "A"));
  assert.ok(!asked("bob-01010101._dsync._tcp.local", "SRV"));
  assert.ok(!asked("_http._tcp.local", "ANY"));
});
