import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { systemRandom, type Random } from "../edge/random.ts";
import { createIdentity, isSignatureValid } from "./identity.ts";

function fixed(hex: string): Random {
  return { bytes: () => Buffer.from(hex, "hex"), fraction: () => 0 };
}

test("an identity is RFC 8032's first test vector when its secret is", () => {
  const identity = createIdentity(fixed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  assert.equal(identity.peerId, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  assert.equal(
    Buffer.from(identity.sign(new Uint8Array(0))).toString("hex"),
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
});

test("a signature is valid for its message and key alone", () => {
  const identity = createIdentity(systemRandom);
  const message = Buffer.from("message");
  const claim = { publicKey: identity.publicKey, message, signature: identity.sign(message) };
  assert.equal(isSignatureValid(claim), true);
  assert.equal(isSignatureValid({ ...claim, message: Buffer.from("massage") }), false);
  assert.equal(isSignatureValid({ ...claim, publicKey: createIdentity(systemRandom).publicKey }), false);
  assert.equal(isSignatureValid({ ...claim, signature: identity.sign(Buffer.from("other")) }), false);
  assert.equal(isSignatureValid({ ...claim, signature: new Uint8Array(64) }), false);
});

test("public keys of small order, for which anybody can sign anything, are refused", () => {
  // S = 1 and R = the base point satisfy the equation for the neutral element, and for others up to the cofactor.
  const one = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));
  const signature = Buffer.concat([ed25519.Point.BASE.toBytes(), one]);
  for (const hex of ED25519_TORSION_SUBGROUP) {
    const publicKey = Buffer.from(hex, "hex");
    const message = Buffer.from("anything");
    assert.equal(ed25519.verify(signature, message, publicKey), true, "lenient verification would accept it");
    assert.equal(isSignatureValid({ publicKey, message, signature }), false, hex);
  }
});
