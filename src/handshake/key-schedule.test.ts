import assert from "node:assert/strict";
import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { x25519 } from "@noble/curves/ed25519.js";
import { agree, deriveKeys, hashTranscript } from "./key-schedule.ts";

const LOW_ORDER_POINTS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

test("agreement is the X25519 that OpenSSL computes", () => {
  const ownSecret = Buffer.alloc(32, 7);
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const theirPublic = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const own = createPublicKey({
    key: { kty: "OKP", crv: "X25519", x: Buffer.from(x25519.getPublicKey(ownSecret)).toString("base64url") },
    format: "jwk",
  });
  const secret = agree(ownSecret, theirPublic);
  assert.ok(secret !== undefined);
  assert.deepEqual(Buffer.from(secret), diffieHellman({ privateKey, publicKey: own }));
});

test("points of low order give no secret, also with the bit set that X25519 ignores", () => {
  const ownSecret = Buffer.alloc(32, 9);
  for (const hex of LOW_ORDER_POINTS) {
    const point = Buffer.from(hex, "hex");
    assert.equal(agree(ownSecret, point), undefined, hex);
    point[31] = (point[31] ?? 0) | 0x80;
    assert.equal(agree(ownSecret, point), undefined, `${hex} with its top bit`);
  }
});

test("each key is HKDF-SHA-256 under a label of its own", () => {
  const sharedSecret = Buffer.alloc(32, 1);
  const passphraseKey = Buffer.alloc(64, 2);
  const transcriptHash = Buffer.alloc(32, 3);
  const labels = {
    clientConfirmation: "dsync client confirmation",
    serverConfirmation: "dsync server confirmation",
    clientProofKey: "dsync client proof",
    serverProofKey: "dsync server proof",
    clientRecordKey: "dsync client records",
    serverRecordKey: "dsync server records",
  };
  const open = deriveKeys({ sharedSecret, transcriptHash });
  const closed = deriveKeys({ sharedSecret, passphraseKey, transcriptHash });
  for (const [name, label] of Object.entries(labels) as [keyof typeof labels, string][]) {
    const expected = (secret: Uint8Array) => Buffer.from(hkdfSync("sha256", secret, transcriptHash, label, 32));
    assert.deepEqual(Buffer.from(open[name]), expected(sharedSecret));
    assert.deepEqual(Buffer.from(closed[name]), expected(Buffer.concat([sharedSecret, passphraseKey])));
  }
});

test("the transcript hash is BLAKE3's, over the client's hello and then the server's", () => {
  const hash = hashTranscript(Buffer.from("a"), Buffer.from("bc"));
  // The BLAKE3 hash of "abc".
  assert.equal(Buffer.from(hash).toString("hex"), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
});
