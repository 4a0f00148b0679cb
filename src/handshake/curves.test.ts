import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { systemRandom } from "../edge/random.ts";
import { nativeCurves } from "./curves-native.ts";
import { portableCurves } from "./curves-portable.ts";
import { selectCurves } from "./curves.ts";

const LOW_ORDER_POINTS = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
/** S = 1 and R = the base point satisfy the equation for the neutral element, and for others up to the cofactor. */
const ANYBODYS_SIGNATURE = Buffer.concat([ed25519.Point.BASE.toBytes(), Buffer.alloc(32).fill(1, 0, 1)]);
const TWINS = { native: nativeCurves, portable: portableCurves };

function bytes(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

function hex(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? []).toString("hex");
}

/** With the bit set that says which of two points has this coordinate. */
function withTopBit(point: Uint8Array): Buffer {
  const other = Buffer.from(point);
  other[31] = (other[31] ?? 0) | 0x80;
  return other;
}

for (const [name, curves] of Object.entries(TWINS)) {
  test(`${name}: Ed25519 is RFC 8032's, by its first test vector`, () => {
    const secretKey = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    const publicKey = curves.ed25519.publicKeyOf(secretKey);
    assert.equal(hex(publicKey), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const signature = curves.ed25519.sign(new Uint8Array(0), secretKey);
    assert.equal(
      hex(signature),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
  });

  test(`${name}: X25519 is RFC 7748's, by the first round of its iterated test`, () => {
    const nine = bytes(`09${"00".repeat(31)}`);
    const expected = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
    assert.equal(hex(curves.x25519.sharedSecret(nine, nine)), expected);
    assert.equal(hex(curves.x25519.publicKeyOf(nine)), expected);
  });

  test(`${name}: a signature is valid for its message and key alone`, () => {
    const { ed25519 } = curves;
    const [secretKey, otherKey] = [systemRandom.bytes(32), systemRandom.bytes(32)];
    const message = Buffer.from("message");
    const claim = { publicKey: ed25519.publicKeyOf(secretKey), message, signature: ed25519.sign(message, secretKey) };
    assert.equal(ed25519.isValid(claim), true);
    assert.equal(ed25519.isValid({ ...claim, message: Buffer.from("massage") }), false);
    assert.equal(ed25519.isValid({ ...claim, publicKey: ed25519.publicKeyOf(otherKey) }), false);
    assert.equal(ed25519.isValid({ ...claim, signature: ed25519.sign(Buffer.from("other"), secretKey) }), false);
    assert.equal(ed25519.isValid({ ...claim, signature: new Uint8Array(64) }), false);
  });

  test(`${name}: public keys of small order, for which anybody can sign anything, are refused`, () => {
    const message = Buffer.from("anything");
    for (const point of ED25519_TORSION_SUBGROUP) {
      const publicKey = bytes(point);
      assert.equal(
        ed25519.verify(ANYBODYS_SIGNATURE, message, publicKey),
        true,
        "lenient verification would accept it",
      );
      for (const key of [publicKey, withTopBit(publicKey)]) {
        assert.equal(
          curves.ed25519.isValid({ publicKey: key, message, signature: ANYBODYS_SIGNATURE }),
          false,
          hex(key),
        );
      }
    }
  });

  test(`${name}: public keys that are not in their one canonical encoding are refused`, () => {
    // Those from the prime on stand for 0 to 18; the second of them for the neutral element.
    for (let low = 0xed; low <= 0xff; low++) {
      const publicKey = bytes(`${low.toString(16)}${"ff".repeat(30)}7f`);
      assert.equal(
        curves.ed25519.isValid({ publicKey, message: publicKey, signature: ANYBODYS_SIGNATURE }),
        false,
        hex(publicKey),
      );
    }
  });

  test(`${name}: points of low order give no secret, also with the bit set that X25519 ignores`, () => {
    const secretKey = Buffer.alloc(32, 9);
    for (const point of LOW_ORDER_POINTS) {
      assert.equal(curves.x25519.sharedSecret(secretKey, bytes(point)), undefined, point);
      assert.equal(
        curves.x25519.sharedSecret(secretKey, withTopBit(bytes(point))),
        undefined,
        `${point} with its top bit`,
      );
    }
  });
}

test("the twins agree on what they are asked", () => {
  const { native, portable } = TWINS;
  for (let round = 0; round < 20; round++) {
    const [own, theirs, message] = [systemRandom.bytes(32), systemRandom.bytes(32), systemRandom.bytes(round)];
    const publicKey = native.ed25519.publicKeyOf(own);
    assert.equal(hex(publicKey), hex(portable.ed25519.publicKeyOf(own)));
    const signature = native.ed25519.sign(message, own);
    assert.equal(hex(signature), hex(portable.ed25519.sign(message, own)));
    assert.ok(portable.ed25519.isValid({ publicKey, message, signature }));
    const ephemeral = native.x25519.publicKeyOf(theirs);
    assert.equal(hex(ephemeral), hex(portable.x25519.publicKeyOf(theirs)));
    assert.equal(hex(native.x25519.sharedSecret(own, ephemeral)), hex(portable.x25519.sharedSecret(own, ephemeral)));
  }
});

test("the portable twin is used where it is asked for", () => {
  assert.equal(selectCurves({ portable: true }), portableCurves);
  assert.equal(selectCurves({ portable: false }), nativeCurves);
});
