// Datagrams that anybody on the network may send: filtered, decoded by the mDNS package, and read as services.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as fc from "fast-check";
import { isWorthDecoding } from "../../src/discovery/datagram-filter.ts";
import { parseQuestion, type IncomingMessage } from "../../src/discovery/dns.ts";
import { parseServices } from "../../src/discovery/parse-services.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutated } from "../support/mutations.ts";

interface DnsPacket {
  encode(message: unknown): Buffer;
  decode(bytes: Buffer): IncomingMessage;
}

// What the mDNS package itself decodes with.
const requireHere = createRequire(import.meta.url);
const packet = createRequire(requireHere.resolve("multicast-dns"))("dns-packet") as DnsPacket;

const TYPE = "_dsync._tcp.local";
const NAME = `laptop-01010101.${TYPE}`;
const HOST = "dsync-0101010101010101.local";
const announcement = packet.encode({
  type: "response",
  answers: [
    { type: "PTR", name: TYPE, ttl: 120, data: NAME },
    { type: "SRV", name: NAME, ttl: 120, data: { port: 9000, target: HOST } },
    { type: "TXT", name: NAME, ttl: 120, data: [`id=${"01".repeat(32)}`, "name=laptop", "share=f78761cf", "v=1"] },
    { type: "A", name: HOST, ttl: 120, data: "10.0.0.1" },
    { type: "AAAA", name: HOST, ttl: 120, data: "fe80::1" },
  ],
});

test("a datagram is services that are sound, or none", () => {
  assert.equal(parseServices(packet.decode(announcement)).length, 1);
  const noise = fc.uint8Array({ maxLength: 1_500 }).map((bytes) => Buffer.concat([bytes, Buffer.from("dsync")]));
  fuzz(fc.oneof(mutated(fc.constant(announcement)), noise), (bytes) => {
    const datagram = Buffer.from(bytes);
    if (!isWorthDecoding(datagram)) return;
    let message: IncomingMessage;
    try {
      message = packet.decode(datagram);
    } catch {
      // The package hands on what it cannot decode as a warning.
      return;
    }
    for (const { port, name, version } of parseServices(message)) {
      assert.ok(port > 0 && port < 65_536 && version > 0 && Buffer.byteLength(name) <= 63 && name !== "");
    }
    for (const question of message.questions) parseQuestion(question);
  });
});
