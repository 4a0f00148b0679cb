// What anybody may send before it has proven anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { systemRandom } from "../../src/edge/random.ts";
import { startHandshake, type HandshakeStep } from "../../src/handshake/handshake.ts";
import type { Role } from "../../src/handshake/hello.ts";
import { createIdentity } from "../../src/handshake/identity.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutated } from "../support/mutations.ts";

const aead = selectAead({ portable: false });
const identity = createIdentity(systemRandom);

function start(role: Role, who = identity): HandshakeStep {
  return startHandshake({
    role,
    identity: who,
    aead,
    version: PROTOCOL_VERSION,
    ephemeralSecret: systemRandom.bytes(32),
    challenge: systemRandom.bytes(32),
  });
}

/** Feeds `bytes`; returns where that leads, and all that was answered. */
function feed(first: HandshakeStep, bytes: Uint8Array): { readonly step: HandshakeStep; readonly output: Buffer } {
  let step = first;
  let output = Buffer.from(step.output);
  for (let at = 0; step.kind === "reading" && at + step.bytesNeeded <= bytes.length;) {
    const needed: number = step.bytesNeeded;
    step = step.receive(bytes.subarray(at, at + needed));
    at += needed;
    output = Buffer.concat([output, step.output]);
  }
  return { step, output };
}

for (const role of ["client", "server"] as const) {
  const other = role === "client" ? "server" : "client";

  test(`a ${role} takes any bytes, proves nothing by them, and answers little`, () => {
    fuzz(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { step, output } = feed(start(role), bytes);
      assert.notEqual(step.kind, "done");
      assert.ok(output.length <= 105 + 112);
    });
  });

  test(`a ${role} takes a mutated hello`, () => {
    const hellos = fc.constant(null).map(() => feed(start("client", createIdentity(systemRandom)), Buffer.alloc(0)));
    const inputs = fc.tuple(mutated(hellos.map(({ output }) => output)), fc.uint8Array({ maxLength: 120 }));
    fuzz(inputs, ([hello, rest]) => {
      const bytes = Buffer.concat([hello, rest]);
      if (bytes.length > 5) bytes[5] = other === "client" ? 0x43 : 0x53;
      assert.notEqual(feed(start(role), bytes).step.kind, "done");
    });
  });
}
