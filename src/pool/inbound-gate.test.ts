import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HANDSHAKE_TOKEN_MS,
  HANDSHAKE_TOKENS_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_ADDRESS_MAX,
} from "../core/limits.ts";
import { InboundGate, type Permit } from "./inbound-gate.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";

function setUp(allowRemote = false) {
  const clock = new FakeClock();
  const gate = new InboundGate({ clock, allowRemote });
  const gaveWay: string[] = [];
  const admit = (host: string): Permit | undefined => {
    const admission = gate.admit(host, () => gaveWay.push(host));
    return admission.kind === "admitted" ? admission.permit : undefined;
  };
  return { clock, gate, admit, gaveWay };
}

test("handshakes that succeed cost nothing, however many there are", () => {
  const { admit } = setUp();
  for (let count = 0; count < 10 * HANDSHAKE_TOKENS_MAX; count++) {
    const permit = admit("10.0.0.1");
    assert.ok(permit !== undefined);
    permit.succeeded();
  }
});

test("those that fail use up the address's tokens, which grow back", () => {
  const { clock, admit } = setUp();
  let admitted = 0;
  for (let count = 0; count < 100; count++) {
    const permit = admit("10.0.0.1");
    if (permit !== undefined) admitted++;
    permit?.failed();
  }
  assert.equal(admitted, HANDSHAKE_TOKENS_MAX);
  assert.ok(admit("10.0.0.2") !== undefined);
  assert.equal(admit("::ffff:10.0.0.1"), undefined);
  clock.advance(HANDSHAKE_TOKEN_MS);
  assert.ok(admit("10.0.0.1") !== undefined);
  assert.equal(admit("10.0.0.1"), undefined);
});

test("unfinished ones are limited per address, until they end", () => {
  const { admit, gaveWay } = setUp();
  const permits: Permit[] = [];
  for (let count = 0; count < 20; count++) {
    const permit = admit("10.0.1.1");
    if (permit !== undefined) permits.push(permit);
    assert.equal(permits.length, Math.min(count + 1, HANDSHAKES_PER_ADDRESS_MAX));
  }
  permits.pop()?.failed();
  assert.ok(admit("10.0.1.1") !== undefined);
  assert.deepEqual(gaveWay, []);
});

test("and in all: then the addresses with the most give way to one that has fewer, the oldest first", () => {
  const { admit, gaveWay } = setUp();
  const hosts = HANDSHAKES_MAX / HANDSHAKES_PER_ADDRESS_MAX;
  const permits: Permit[] = [];
  for (let host = 0; host < hosts; host++) {
    for (let count = 0; count < HANDSHAKES_PER_ADDRESS_MAX; count++) {
      const permit = admit(`10.0.1.${host}`);
      if (permit !== undefined) permits.push(permit);
    }
  }
  assert.equal(permits.length, HANDSHAKES_MAX);
  const others = Array.from({ length: HANDSHAKES_PER_ADDRESS_MAX - 1 }, () => admit("10.0.2.1"));
  assert.ok(others.every((permit) => permit !== undefined));
  assert.deepEqual(gaveWay, [...Array(hosts - 1).keys()].map((host) => `10.0.1.${host}`).slice(0, others.length));
});

test("what gave way counts no more, also when it says so itself", () => {
  const { admit, gaveWay } = setUp();
  const first = admit("10.0.0.0");
  for (let host = 1; host < HANDSHAKES_MAX; host++) assert.ok(admit(`10.0.${host >> 7}.${host & 127}`) !== undefined);
  assert.equal(admit("10.0.0.1"), undefined, "it has as many as everybody");
  assert.ok(admit("10.1.0.0") !== undefined);
  assert.deepEqual(gaveWay, ["10.0.0.0"]);
  first?.failed();
  assert.ok(admit("10.1.0.1") !== undefined);
  assert.equal(gaveWay.length, 2, "there is still no room that nobody has");
});

test("addresses that are not local are told apart, and let in when allowed", () => {
  const { gate, admit } = setUp();
  assert.deepEqual(
    gate.admit("8.8.8.8", () => {}),
    { kind: "refused", reason: "remote-address" },
  );
  assert.ok(admit("192.168.1.1") !== undefined);
  assert.ok(setUp(true).admit("8.8.8.8") !== undefined);
});
