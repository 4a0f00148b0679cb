// Frames whose payload costs far more to decode than to send.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostilePeer } from "../support/hostile-peer.ts";
import { startVictim } from "../support/victim.ts";
import { waitFor } from "../support/wait.ts";

const ENTRIES = 10;
const MIB = 1024 * 1024;
const GROWTH_BYTES_MAX = 100 * MIB;

test("arrays that claim to be long and hold one another cost no memory", async (t) => {
  const victim = await startVictim(t);
  const before = victim.memoryBytes();
  const peer = await HostilePeer.join(victim.port);
  // Each of these says "an array of 32 million items", and begins with the next one.
  const header = Buffer.from([0xdd, 0x01, 0xff, 0xff, 0xff]);
  peer.sendFrame(ENTRIES, Buffer.concat(Array.from({ length: 200 }, () => header)));
  let peakBytes = 0;
  await waitFor(
    () => {
      peakBytes = Math.max(peakBytes, victim.memoryBytes());
      return peer.close;
    },
    { until: "a close record", intervalMs: 2 },
  );
  assert.equal(peer.close?.code, "protocol-error");
  assert.ok(peakBytes - before < GROWTH_BYTES_MAX, `${(peakBytes - before) / MIB} MiB more`);
  await victim.assertUnharmed();
});

const PAYLOADS: Readonly<Record<string, Uint8Array>> = {
  nothing: Buffer.alloc(0),
  "a map": Buffer.from([0x81, 0xa1, 0x61, 0x01]),
  "an extension": Buffer.from([0xd4, 0x72, 0x40]),
  "a date": Buffer.from([0x91, 0xd6, 0xff, 0, 0, 0, 0]),
  "a map that sets the prototype": Buffer.from("91 81 a9 5f5f70726f746f5f5f 81 a1 61 01".replaceAll(" ", ""), "hex"),
  "a text cut short": Buffer.from([0x91, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]),
  "bytes cut short": Buffer.from([0x91, 0xc6, 0xff, 0xff, 0xff, 0xff, 0x61]),
  "the byte that is never used": Buffer.from([0xc1]),
  "something behind the end": Buffer.from([0x91, 0x90, 0x00]),
  "a million arrays in one another": Buffer.alloc(1_000_000, 0x91),
};

test("payloads that are no message break the protocol", async (t) => {
  const victim = await startVictim(t);
  for (const [name, payload] of Object.entries(PAYLOADS)) {
    const peer = await HostilePeer.join(victim.port);
    peer.sendFrame(ENTRIES, payload);
    assert.equal((await peer.closed()).code, "protocol-error", name);
  }
  await victim.assertUnharmed();
});
