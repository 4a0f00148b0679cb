import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nativeAead } from "./aead-native.ts";
import { nobleAead } from "./aead-noble.ts";
import { openSealed, type Aead, type Sealed } from "./aead.ts";
import { selectAead } from "./select-aead.ts";

const AEADS = [nativeAead, nobleAead];

/** RFC 8439 §2.8.2. */
const VECTOR = {
  key: Buffer.from("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "hex"),
  nonce: Buffer.from("070000004041424344454647", "hex"),
  associatedData: Buffer.from("50515253c0c1c2c3c4c5c6c7", "hex"),
  plaintext: Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
  ciphertext: Buffer.from(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
      "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b6116",
    "hex",
  ),
  tag: Buffer.from("1ae10b594f09e26a7e902ecbd0600691", "hex"),
};

for (const aead of AEADS) {
  test(`${aead.name}: seals and opens RFC 8439's vector`, () => {
    const sealed = aead.seal(VECTOR, [VECTOR.plaintext]);
    assert.equal(hex(sealed.ciphertext), hex([VECTOR.ciphertext]));
    assert.equal(hex([sealed.tag]), hex([VECTOR.tag]));
    assert.equal(
      hex(openSealed(aead, VECTOR, { ciphertext: [VECTOR.ciphertext], tag: VECTOR.tag })),
      hex([VECTOR.plaintext]),
    );
  });

  test(`${aead.name}: opens nothing of which a bit was changed`, () => {
    const parts = { ...VECTOR };
    for (const name of ["key", "nonce", "associatedData", "ciphertext", "tag"] as const) {
      for (let at = 0; at < parts[name].length; at++) {
        const changed = { ...parts, [name]: Buffer.from(parts[name]) };
        changed[name][at] = (changed[name][at] ?? 0) ^ (1 << (at % 8));
        assert.equal(
          openSealed(aead, changed, { ciphertext: [changed.ciphertext], tag: changed.tag }),
          undefined,
          name,
        );
      }
    }
  });
}

test("both seal the same and open each other's, however the texts are cut", () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const context = fc.record({
    key: bytes32,
    nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
    associatedData: fc.uint8Array({ maxLength: 40 }),
  });
  const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 });
  fc.assert(
    fc.property(context, pieces, (context, pieces) => {
      const [native, noble] = AEADS.map((aead) => aead.seal(context, pieces)) as [Sealed, Sealed];
      assert.equal(hex(native.ciphertext) + hex([native.tag]), hex(noble.ciphertext) + hex([noble.tag]));
      assert.equal(hex(openSealed(nobleAead, context, native)), hex(pieces));
      assert.equal(hex(openSealed(nativeAead, context, { ...noble, ciphertext: cut(noble.ciphertext) })), hex(pieces));
    }),
  );
});

test("sealing leaves its input as it was", () => {
  const key = Buffer.alloc(32, 1);
  const nonce = Buffer.alloc(12, 2);
  const plaintext = Buffer.alloc(1000, 3);
  for (const aead of AEADS) {
    const sealed = aead.seal({ key, nonce, associatedData: key }, [plaintext]);
    const ciphertext = Buffer.concat(sealed.ciphertext);
    const before = Buffer.from(ciphertext);
    openSealed(aead, { key, nonce, associatedData: key }, { ciphertext: [ciphertext], tag: sealed.tag });
    assert.deepEqual(plaintext, Buffer.alloc(1000, 3), aead.name);
    assert.deepEqual(ciphertext, before, aead.name);
  }
});

test("the portable one can be asked for", () => {
  const names: Aead["name"][] = [selectAead({ portable: true }).name, selectAead({ portable: false }).name];
  assert.deepEqual(names, ["portable", "native"]);
});

function hex(pieces: readonly Uint8Array[] | undefined): string {
  return pieces === undefined ? "not opened" : Buffer.concat(pieces).toString("hex");
}

function cut(pieces: readonly Uint8Array[]): Uint8Array[] {
  return pieces.flatMap((piece) => [piece.subarray(0, 7), piece.subarray(7, 7), piece.subarray(7)]);
}
