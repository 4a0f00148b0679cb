import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { loadNativeBlake3 } from "./blake3-native.ts";
import { portableBlake3 } from "./blake3-portable.ts";
import { contentHash, loadBlake3, type Blake3 } from "./blake3.ts";

const CONTEXT = "BLAKE3 2019-12-27 16:29:52 test vectors context";

/** From the official test_vectors.json: input length, hash, derived key. The input counts from 0 to 250 and again. */
const VECTORS: readonly (readonly [number, string, string])[] = [
  [
    0,
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d",
  ],
  [
    1,
    "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c",
  ],
  [
    1023,
    "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5",
  ],
  [
    1025,
    "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb",
  ],
  [
    2049,
    "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    "2ea477c5515cc3dd606512ee72bb3e0e758cfae7232826f35fb98ca1bcbdf273",
  ],
  [
    5121,
    "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff",
    "b07f01e518e702f7ccb44a267e9e112d403a7b3f4883a47ffbed4b48339b3c34",
  ],
  [
    7168,
    "61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a",
    "11c37a112765370c94a51415d0d651190c288566e295d505defdad895dae2237",
  ],
];

const native = loadNativeBlake3();
const implementations: readonly (readonly [string, Blake3 | undefined])[] = [
  ["portable", portableBlake3],
  ["native", native],
];

for (const [name, blake3] of implementations) {
  const options = blake3 === undefined ? { skip: "not installed here" } : {};
  test(`${name} BLAKE3 gives the official answers`, options, () => {
    assert.ok(blake3);
    for (const [length, hash, derived] of VECTORS) {
      const input = counting(length);
      assert.equal(hex(blake3.hash(input)), hash);
      assert.equal(hex(inPieces(blake3, input, [7, 1000])), hash);
      assert.equal(hex(blake3.deriveKey(CONTEXT, input)), derived);
    }
  });

  test(`${name} BLAKE3 takes views into larger buffers, and large input`, options, () => {
    assert.ok(blake3);
    const large = counting(1_500_000);
    const view = large.subarray(251 * 3, 251 * 3 + 5121);
    assert.equal(hex(blake3.hash(view)), VECTORS[5]?.[1]);
    assert.equal(hex(blake3.hash(large)), hex(inPieces(blake3, large, [1024, 700_000])));
  });
}

test("native and portable BLAKE3 always agree", native === undefined ? { skip: "not installed here" } : {}, () => {
  assert.ok(native);
  fc.assert(
    fc.property(fc.nat(300_000), fc.array(fc.nat(5000), { maxLength: 5 }), fc.string(), (length, pieces, context) => {
      const input = counting(length);
      const hash = hex(portableBlake3.hash(input));
      assert.equal(hex(native.hash(input)), hash);
      assert.equal(hex(inPieces(native, input, pieces)), hash);
      assert.equal(hex(inPieces(portableBlake3, input, pieces)), hash);
      assert.equal(hex(native.deriveKey(context, input)), hex(portableBlake3.deriveKey(context, input)));
    }),
  );
});

test("the portable implementation does not keep memory per hash", () => {
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      portableBlake3.deriveKey("dsync test", counting(100));
      portableBlake3.create().digest();
    }
  };
  // A hasher is 2 KB in WebAssembly: 20,000 that leak are 40 MB.
  rounds(1000);
  const before = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
  rounds(20_000);
  const after = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
  assert.ok(after - before < 20_000_000, `grew by ${after - before} bytes`);
});

test("the portable implementation can be asked for", () => {
  assert.equal(loadBlake3({ portable: true }), portableBlake3);
  if (native !== undefined) assert.notEqual(loadBlake3({ portable: false }), portableBlake3);
  assert.equal(contentHash(counting(1)), VECTORS[1]?.[1]);
});

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function inPieces(blake3: Blake3, bytes: Uint8Array, pieces: readonly number[]): Uint8Array {
  const hasher = blake3.create();
  let start = 0;
  for (const piece of pieces) {
    hasher.update(bytes.subarray(start, start + piece));
    start = Math.min(bytes.length, start + piece);
  }
  hasher.update(bytes.subarray(start));
  return hasher.digest();
}

function hex(bytes: Uint8Array): string {
  assert.equal(bytes.length, 32);
  return Buffer.from(bytes).toString("hex");
}
