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
import { feed } from "../support/feed-handshake.ts";
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

for (const passphrase of [undefined, "secret"]) {
  for (const role of ["client", "server"] as const) {
    const other = role === "client" ? "server" : "client";
    const named = `a ${role} ${passphrase === undefined ? "without" : "with"} a passphrase`;

    test(`${named} takes any bytes, proves nothing by them, and answers little`, () => {
      fuzz(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const first = start(role, { passphrase });
        const { step, output } = feed(first, bytes);
        assert.notEqual(step.kind, "done");
        assert.ok(first.output.length + output.length <= 105 + 112);
      });
    });

    test(`${named} takes a mutated hello, and whatever comes behind it`, () => {
      const hellos = fc.constant(null).map(() => {
        return start("client", { passphrase, who: createIdentity(systemRandom) }).output;
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
