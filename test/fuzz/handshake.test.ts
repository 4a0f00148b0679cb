// What anybody may send before it has proven anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Random } from "../../src/edge/random.ts";
import { startHandshake, type HandshakeStep } from "../../src/handshake/handshake.ts";
import type { Role } from "../../src/handshake/hello.ts";
import { createIdentity, type Identity } from "../../src/handshake/identity.ts";
import { passphraseBytes } from "../../src/handshake/passphrase-exchange.ts";
import { CLIENT_PROOF_BYTES, SERVER_PROOF_BYTES } from "../../src/handshake/proof.ts";
import { selectAead } from "../../src/handshake/select-aead.ts";
import { PROTOCOL_VERSION } from "../../src/pool/messages.ts";
import { feed } from "../support/feed-handshake.ts";
import { fuzz } from "../support/fuzz.ts";
import { mutated } from "../support/mutations.ts";
import { randomFrom } from "../support/seeded.ts";

/** Of hellos that are almost right: for each, points of a curve are multiplied, which takes milliseconds. */
const HELLO_RUNS = 400;
const PROOF_RUNS = 150;

const aead = selectAead({ portable: false });
const identity = createIdentity(seededRandom(1));

/** Keys that are the same for the same seed. */
function seededRandom(seed: number): Random {
  const fraction = randomFrom(seed);
  return { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)), fraction };
}

interface StartOptions {
  readonly passphrase?: string | undefined;
  readonly who?: Identity;
  readonly random?: Random;
}

function start(role: Role, { passphrase, who = identity, random = seededRandom(2) }: StartOptions): HandshakeStep {
  const secret = passphrase === undefined ? undefined : passphraseBytes(passphrase);
  return startHandshake({
    role,
    identity: who,
    aead,
    version: PROTOCOL_VERSION,
    ephemeralSecret: random.bytes(32),
    challenge: random.bytes(32),
    passphrase: secret && { passphrase: secret, scalarSecret: random.bytes(32) },
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
      const hellos = fc.nat().map((seed) => {
        const random = seededRandom(seed);
        return start("client", { passphrase, who: createIdentity(random), random }).output;
      });
      const inputs = fc.tuple(mutated(hellos), fc.uint8Array({ maxLength: 220 }));
      const isNotDone = ([hello, rest]: readonly [Uint8Array, Uint8Array]): void => {
        const bytes = Buffer.concat([hello, rest]);
        if (bytes.length > 5) bytes[5] = other === "client" ? 0x43 : 0x53;
        assert.notEqual(feed(start(role, { passphrase }), bytes).step.kind, "done");
      };
      fuzz(inputs, isNotDone, { runs: HELLO_RUNS });
    });

    test(`${named} takes a proof with something changed for none`, () => {
      // What the other side says after its hello, to a handshake that is made again the same way each time.
      const peerRandom = seededRandom(3);
      const peer = { passphrase, who: createIdentity(peerRandom), random: peerRandom };
      const said = converse(start(role, { passphrase }), start(other, peer));
      assert.equal(feed(start(role, { passphrase }), said).step.kind, "done");
      const last = role === "client" ? SERVER_PROOF_BYTES : CLIENT_PROOF_BYTES;
      const [before, proof] = [said.subarray(0, -last), said.subarray(-last)];
      const isNotDone = (changed: Uint8Array): void => {
        // What comes behind a proof is of the next layer.
        if (Buffer.compare(changed.subarray(0, last), proof) === 0) return;
        const { step } = feed(start(role, { passphrase }), Buffer.concat([before, changed]));
        assert.notEqual(step.kind, "done");
      };
      fuzz(mutated(fc.constant(proof)), isNotDone, { runs: PROOF_RUNS });
    });
  }
}

/** Lets both speak until neither has more to say; returns all that `theirs` said. */
function converse(ours: HandshakeStep, theirs: HandshakeStep): Uint8Array {
  let [us, them] = [ours, theirs];
  let [toUs, toThem] = [Buffer.from(them.output), Buffer.from(us.output)];
  const said = [toUs];
  while (toUs.length > 0 || toThem.length > 0) {
    const heard = feed(us, toUs);
    const answered = feed(them, Buffer.concat([toThem, heard.output]));
    [us, them] = [heard.step, answered.step];
    toThem = Buffer.alloc(0);
    toUs = Buffer.from(answered.output);
    said.push(toUs);
  }
  return Buffer.concat(said);
}
