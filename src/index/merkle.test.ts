import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FINGERPRINT_BYTES, MerkleTree, PAGE_BYTES } from "./merkle.ts";

const MODULUS = 1n << 128n;

/** Path hashes that often share a child or a bucket. */
const hashes = fc
  .tuple(fc.constantFrom(0, 1, 255), fc.constantFrom(0, 7, 255), fc.uint8Array({ minLength: 14, maxLength: 14 }))
  .map(([first, second, rest]) => Uint8Array.of(first, second, ...rest));
const fingerprints = fc.oneof(
  fc.uint8Array({ minLength: FINGERPRINT_BYTES, maxLength: FINGERPRINT_BYTES }),
  fc.constant(new Uint8Array(FINGERPRINT_BYTES).fill(255)),
);

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}

function fingerprintAt(page: Uint8Array, index: number): bigint {
  return toNumber(page.subarray(index * FINGERPRINT_BYTES, (index + 1) * FINGERPRINT_BYTES));
}

test("every node is the sum of the entries below it, mod 2^128, through every change", () => {
  const changes = fc.array(fc.tuple(hashes, fc.option(fingerprints, { nil: undefined })), {
    maxLength: 40,
    size: "max",
  });
  fc.assert(
    fc.property(changes, (list) => {
      const tree = new MerkleTree();
      const model = new Map<string, { readonly hash: Uint8Array; readonly fingerprint: Uint8Array }>();
      for (const [hash, fingerprint] of list) {
        const key = Buffer.from(hash.subarray(0, 3)).toString("hex");
        const old = model.get(key);
        tree.replace(old?.hash ?? hash, old?.fingerprint, fingerprint);
        if (fingerprint === undefined) model.delete(key);
        else model.set(key, { hash: old?.hash ?? hash, fingerprint });
      }
      const sumBelow = (...prefix: number[]): bigint =>
        [...model.values()]
          .filter(({ hash }) => prefix.every((byte, i) => hash[i] === byte))
          .reduce((sum, { fingerprint }) => (sum + toNumber(fingerprint)) % MODULUS, 0n);
      assert.equal(toNumber(tree.root()), sumBelow());
      assert.equal(tree.rootHex, Buffer.from(tree.root()).toString("hex"));
      for (const first of [0, 1, 2, 255]) {
        assert.equal(toNumber(tree.fingerprint([first])), sumBelow(first));
        assert.equal(fingerprintAt(tree.children([]), first), sumBelow(first));
        for (const second of [0, 7, 255]) {
          assert.equal(toNumber(tree.fingerprint([first, second])), sumBelow(first, second));
          assert.equal(fingerprintAt(tree.children([first]), second), sumBelow(first, second));
        }
      }
    }),
  );
});

test("pages bring the whole tree back, and only changed ones are dirty", () => {
  const tree = new MerkleTree();
  const fingerprint = Uint8Array.from({ length: 16 }, (_, i) => 250 + i);
  tree.replace(Uint8Array.of(9, 1), undefined, fingerprint);
  tree.replace(Uint8Array.of(3, 255), undefined, fingerprint);
  tree.replace(Uint8Array.of(9, 2), undefined, fingerprint);
  const dirty = tree.takeDirtyPages();
  assert.deepEqual(dirty, [3, 9]);
  assert.deepEqual(tree.takeDirtyPages(), []);

  const copy = MerkleTree.fromPages(new Map(dirty.map((first) => [first, tree.exportPage(first)])));
  assert.equal(copy.rootHex, tree.rootHex);
  assert.deepEqual(copy.children([]), tree.children([]));
  assert.deepEqual(copy.children([9]), tree.children([9]));
  assert.deepEqual(copy.takeDirtyPages(), []);
});

test("what comes and goes again leaves nothing", () => {
  const tree = new MerkleTree();
  const fingerprint = new Uint8Array(FINGERPRINT_BYTES).fill(255);
  tree.replace(Uint8Array.of(4, 4), undefined, fingerprint);
  assert.notEqual(tree.rootHex, "0".repeat(32));
  tree.replace(Uint8Array.of(4, 4), fingerprint, undefined);
  assert.equal(tree.rootHex, "0".repeat(32));
});

test("what is handed out is a copy", () => {
  const tree = new MerkleTree();
  for (const bytes of [tree.root(), tree.fingerprint([1]), tree.children([]), tree.children([1])]) bytes.fill(1);
  assert.equal(tree.rootHex, "0".repeat(32));
  assert.deepEqual(tree.exportPage(1), new Uint8Array(PAGE_BYTES));
});

test("a page of another size is refused", () => {
  assert.throws(() => MerkleTree.fromPages([[0, new Uint8Array(PAGE_BYTES - 1)]]), RangeError);
  assert.throws(() => MerkleTree.fromPages([[256, new Uint8Array(PAGE_BYTES)]]), RangeError);
});
