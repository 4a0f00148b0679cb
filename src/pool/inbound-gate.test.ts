import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HANDSHAKE_TOKEN_MS,
  HANDSHAKE_TOKENS_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_ADDRESS_MAX,
  NEW_STRANGERS_TOKEN_MS,
  STRANGERS_TOKENS_MAX,
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
  const { clock, admit, gaveWay } = setUp();
  const first = admit("10.0.0.0");
  for (let host = 1; host < HANDSHAKES_MAX; host++) assert.ok(admit(`10.0.${host >> 7}.${host & 127}`) !== undefined);
  clock.advance(1_000);
  assert.equal(admit("10.0.0.1"), undefined, "it has as many as everybody");
  assert.ok(admit("10.1.0.0") !== undefined);
  assert.deepEqual(gaveWay, ["10.0.0.0"]);
  first?.failed();
  assert.ok(admit("10.1.0.1") !== undefined);
  assert.equal(gaveWay.length, 2, "there is still no room that nobody has");
});

test("strangers together are limited, too: new ones do not use up what friends have, nor old ones what new ones have", () => {
  const { clock, admit } = setUp();
  admit("10.9.9.9")?.succeeded();
  const fail = (host: string): boolean => {
    const permit = admit(host);
    permit?.failed();
    return permit !== undefined;
  };
  const hosts = Array.from({ length: 4 * STRANGERS_TOKENS_MAX }, (_, host) => `10.1.${host >> 7}.${host & 127}`);
  assert.equal(hosts.filter(fail).length, STRANGERS_TOKENS_MAX, "new ones");
  assert.equal(hosts.filter(fail).length, STRANGERS_TOKENS_MAX, "those that have failed before");
  assert.equal(fail("10.2.0.1"), false);
  for (let count = 0; count < 5; count++) assert.ok(admit("10.9.9.9") !== undefined, "a friend");
  clock.advance(NEW_STRANGERS_TOKEN_MS);
  assert.equal(hosts.slice(0, STRANGERS_TOKENS_MAX).some(fail), false);
  assert.equal(fail("10.2.0.1"), true, "somebody new");
});

test("who misuses what it was let into is a stranger again", () => {
  const { admit } = setUp();
  const permit = admit("10.9.9.9");
  permit?.succeeded();
  permit?.misused();
  for (let host = 0; host < 4 * STRANGERS_TOKENS_MAX; host++) {
    for (let count = 0; count < 2; count++) admit(`10.1.${host >> 7}.${host & 127}`)?.failed();
  }
  assert.equal(admit("10.9.9.9"), undefined);
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
