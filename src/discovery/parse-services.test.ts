import assert from "node:assert/strict";
import { test } from "node:test";
import { isIP } from "node:net";
import fc from "fast-check";
import { parsePeerId, peerIdFromBytes } from "../core/ids.ts";
import {
  NAME_BYTES_MAX,
  SERVICE_ADDRESSES_MAX,
  SERVICE_TTL_SECONDS,
  SERVICES_PER_DATAGRAM_MAX,
} from "../core/limits.ts";
import { incoming } from "../../test/support/memory-mdns.ts";
import type { DnsRecord, IncomingMessage } from "./dns.ts";
import { parseServices, type FoundService } from "./parse-services.ts";
import { buildAnnouncement, SERVICE_TYPE, shareHash } from "./service-records.ts";

function announcement(number: number, ttlSeconds = 120): readonly DnsRecord[] {
  const peerId = peerIdFromBytes(new Uint8Array(32).fill(number));
  const service = {
    peerId,
    name: `host ${number}`,
    shareHash: shareHash("default"),
    version: 1,
    port: 7000,
  };
  return buildAnnouncement({
    service,
    addresses: ["10.0.0.1", "fe80::1"],
    ttlSeconds,
    flush: true,
  });
}

function parse(records: readonly unknown[], additionals: readonly unknown[] = []): readonly FoundService[] {
  return parseServices({ type: "response", id: 0, questions: [], answers: records, additionals });
}

const valid = incoming({
  type: "response",
  id: 0,
  questions: [],
  answers: announcement(1),
}).answers;

/** The valid records with one field of one of them changed. */
function withField(type: string, change: Readonly<Record<string, unknown>>): readonly unknown[] {
  return announcement(1).map((record) => Object.assign({}, record, record.type === type ? change : {}));
}

function assertSound(found: FoundService): void {
  assert.ok(parsePeerId(found.peerId) !== undefined);
  assert.ok(found.name !== "" && Buffer.byteLength(found.name) <= NAME_BYTES_MAX);
  assert.match(found.shareHash, /^[0-9a-f]{8}$/);
  assert.ok(Number.isInteger(found.version) && found.version >= 1);
  assert.ok(Number.isInteger(found.port) && found.port >= 1 && found.port <= 65_535);
  assert.ok(found.addresses.length <= SERVICE_ADDRESSES_MAX && found.addresses.every((address) => isIP(address) !== 0));
  assert.ok(Number.isInteger(found.ttlSeconds) && found.ttlSeconds >= 0 && found.ttlSeconds <= SERVICE_TTL_SECONDS);
}

test("hostile records never throw, and never give anything unsound", () => {
  const keys = fc.constantFrom("type", "name", "ttl", "data", "flush", "other");
  const mutations = fc.array(
    fc.tuple(fc.nat(20), keys, fc.anything({ withBigInt: true, withDate: true, withMap: true })),
  );
  const junk = fc.array(fc.anything(), { maxLength: 5 });
  fc.assert(
    fc.property(mutations, junk, fc.boolean(), (mutations, junk, isSplit) => {
      const records: Record<string, unknown>[] = valid.map((record) => Object.assign({}, record));
      for (const [position, key, value] of mutations) {
        const record = records[position % records.length];
        if (record !== undefined) record[key] = value;
      }
      const found = isSplit ? parse(records.slice(0, 3), [...records.slice(3), ...junk]) : parse([...junk, ...records]);
      for (const service of found) assertSound(service);
    }),
    { numRuns: 500 },
  );
});

test("hostile data inside TXT and SRV never throws", () => {
  const data = fc.oneof(
    fc.anything(),
    fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.string(),
        fc.anything(),
      ),
    ),
    fc.record({ port: fc.anything(), target: fc.anything() }),
  );
  fc.assert(
    fc.property(data, data, (text, server) => {
      for (const service of parse([...withField("TXT", { data: text })])) assertSound(service);
      for (const service of parse([...withField("SRV", { data: server })])) assertSound(service);
    }),
    { numRuns: 500 },
  );
});

test("each field that is wrong makes the service not exist", () => {
  assert.equal(parse(valid).length, 1);
  const id = `id=${"01".repeat(32)}`;
  const good = [id, "name=x", "share=00000000", "v=1"];
  assert.equal(parse(withField("TXT", { data: good })).length, 1);
  const without = (key: string): readonly string[] => good.filter((item) => !item.startsWith(key));
  const wrong: readonly (readonly string[])[] = [
    ...["id", "name", "share", "v"].map(without),
    [`id=${"0g".repeat(32)}`, ...without("id")],
    [`${id}00`, ...without("id")],
    [`name=${"x".repeat(64)}`, ...without("name")],
    ["share=0000000", ...without("share")],
    ["v=0", ...without("v=")],
    ["v=1e3", ...without("v=")],
    ["v=123456", ...without("v=")],
  ];
  for (const data of wrong) assert.deepEqual(parse(withField("TXT", { data })), [], data.join(" "));
  const badUtf8 = Buffer.from([...Buffer.from("name="), 0xff]);
  assert.deepEqual(parse(withField("TXT", { data: [...without("name"), badUtf8] })), []);
  for (const port of [0, -1, 65_536, 1.5, "7000"]) {
    assert.deepEqual(parse(withField("SRV", { data: { port, target: "dsync-x.local" } })), [], String(port));
  }
  assert.deepEqual(parse(withField("SRV", { name: "x._http._tcp.local" })), []);
  assert.deepEqual(parse(withField("SRV", { ttl: -1 })), []);
  assert.deepEqual(parseServices({ ...incomingOf(valid), type: "query" }), []);
});

test("of a key that comes twice the first counts, and keys have no case", () => {
  const data = [`ID=${"01".repeat(32)}`, "name=first", "NAME=second", "share=00000000", "v=1", "later=whatever"];
  assert.equal(parse(withField("TXT", { data }))[0]?.name, "first");
});

test("lists are bounded, however long they come", () => {
  const many = Array.from({ length: 100 }, (_, index) => announcement(index)).flat();
  assert.equal(parse(many).length, SERVICES_PER_DATAGRAM_MAX);
  const host = "dsync-0101010101010101.local";
  const addresses = Array.from({ length: 200 }, (_, index) => ({
    type: "A",
    name: host,
    ttl: 1,
    data: `10.0.1.${index}`,
  }));
  assert.equal(parse([...valid, ...addresses])[0]?.addresses.length, SERVICE_ADDRESSES_MAX);
});

test("addresses of other hosts, of the wrong kind and with zones are left out", () => {
  const host = "dsync-0101010101010101.local";
  const extra = [
    { type: "A", name: "router.local", ttl: 1, data: "10.0.0.254" },
    { type: "A", name: host, ttl: 1, data: "fe80::2" },
    { type: "AAAA", name: host, ttl: 1, data: "10.0.0.3" },
    { type: "AAAA", name: host, ttl: 1, data: "fe80::3%eth0" },
    { type: "A", name: host.toUpperCase(), ttl: 1, data: "10.0.0.4" },
  ];
  assert.deepEqual(parse([...valid, ...extra])[0]?.addresses, ["10.0.0.1", "fe80::1", "10.0.0.4"]);
});

test("a pointer that is taken back is a goodbye", () => {
  const pointer = { type: "PTR", name: SERVICE_TYPE, ttl: 0 };
  const name = announcement(1).find((record) => record.type === "SRV")?.name;
  const others = valid.filter((record) => Reflect.get(Object(record), "type") !== "PTR");
  assert.equal(parse([...others, { ...pointer, data: name }])[0]?.ttlSeconds, 0);
  assert.equal(parse([...others, { ...pointer, data: `other.${SERVICE_TYPE}` }])[0]?.ttlSeconds, 120);
});

function incomingOf(answers: readonly unknown[]): IncomingMessage {
  return { type: "response", id: 0, questions: [], answers, additionals: [] };
}
