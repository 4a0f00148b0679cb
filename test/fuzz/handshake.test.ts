// What anybody may send before it has proven anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { systemRandom } from "../../src/edge/random.ts";
import { startHandshake, type HandshakeStep } from "../../src/handshake/handshake.ts";
import type { Role } from "../../src/handshake/hello.ts";
import { createIdentity, type Identity } from "../../src/handshake/identity.ts";
import { passphraseBytes } from "../../src/handshake/passphrase-exchange.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutated } from "../support/mutations.ts";

/** Of hellos that are almost right: for each, points of a curve are multiplied, which takes milliseconds. */
const HELLO_RUNS = 400;

const aead = selectAead({ portable: false });
const identity = createIdentity(systemRandom);

interface StartOptions {
  readonly passphrase?: string | undefined;
  readonly who?: Identity;
}

function start(role: Role, { passphrase, who = identity }: StartOptions): HandshakeStep {
  const secret = passphrase === undefined ? undefined : passphraseBytes(passphrase);
  return startHandshake({
    role,
    identity: who,
    aead,
    version: PROTOCOL_VERSION,
    ephemeralSecret: systemRandom.bytes(32),
    challenge: systemRandom.bytes(32),
    passphrase: secret && { passphrase: secret, scalarSecret: systemRandom.bytes(32) },
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

for (const passphrase of [undefined, "secret"]) {
  for (const role of ["client", "server"] as const) {
    const other = role === "client" ? "server" : "client";
    const named = `a ${role} ${passphrase === undefined ? "without" : "with"} a passphrase`;

    test(`${named} takes any bytes, proves nothing by them, and answers little`, () => {
      fuzz(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { step, output } = feed(start(role, { passphrase }), bytes);
        assert.notEqual(step.kind, "done");
        assert.ok(output.length <= 105 + 112);
      });
    });

    test(`${named} takes a mutated hello, and whatever comes behind it`, () => {
      const hellos = fc.constant(null).map(() => {
        return feed(start("client", { passphrase, who: createIdentity(systemRandom) }), Buffer.alloc(0)).output;
      });
      const inputs = fc.tuple(mutated(hellos), fc.uint8Array({ maxLength: 220 }));
      const isNotDone = ([hello, rest]: readonly [Uint8Array, Uint8Array]): void => {
        const bytes = Buffer.concat([hello, rest]);
        if (bytes.length > 5) bytes[5] = other === "client" ? 0x43 : 0x53;
        assert.notEqual(feed(start(role, { passphrase }), bytes).step.kind, "done");
      };
      fuzz(inputs, isNotDone, { runs: HELLO_RUNS });
    });
  }
}
