import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { idBytes, type ContentHash } from "../core/ids.ts";
import {
  CHUNK_SIZE_BYTES_MAX,
  CHUNK_SIZE_BYTES_MIN,
  MANIFEST_CHUNKS_MAX,
  MANIFEST_ITEM_BYTES,
} from "../core/limits.ts";
import { problemOf } from "../core/problem-of.ts";
import { contentHash, loadBlake3 } from "./blake3.ts";
import { contentIdOf, encodeManifest, ManifestBuilder, parseManifest, type ManifestItem } from "./manifest.ts";

const hashA = contentHash(Buffer.from("a"));
const hashB = contentHash(Buffer.from("b"));

test("a content of more chunks than anybody may have to keep in memory is a problem with a remedy", () => {
  const builder = new ManifestBuilder();
  const hash = idBytes(hashA);
  for (let count = 0; count < MANIFEST_CHUNKS_MAX; count++) builder.add(hash, CHUNK_SIZE_BYTES_MAX);
  assert.throws(
    () => builder.add(hash, 1),
    (error) => /too large/.test(problemOf("read", error).message),
  );
});

test("a manifest comes back as it was", () => {
  fc.assert(
    fc.property(arbitraryItems(), (items) => {
      const encoded = encodeManifest(items);
      const manifest = parseManifest(encoded);
      assert.ok(manifest);
      assert.equal(encoded.length, items.length * MANIFEST_ITEM_BYTES);
      assert.equal(manifest.count, items.length);
      for (const [index, item] of items.entries()) {
        assert.equal(manifest.hashOf(index), item.hash);
        assert.equal(manifest.lengthOf(index), item.length);
      }
      assert.equal(
        manifest.size,
        items.reduce((sum, item) => sum + item.length, 0),
      );
    }),
  );
});

test("a manifest that lies inside a larger buffer is read at its place", () => {
  const encoded = encodeManifest([
    { hash: hashA, length: CHUNK_SIZE_BYTES_MIN },
    { hash: hashB, length: 5 },
  ]);
  const around = Buffer.concat([Buffer.from("xyz"), encoded, Buffer.from("x")]);
  const manifest = parseManifest(around.subarray(3, 3 + encoded.length));
  assert.equal(manifest?.size, CHUNK_SIZE_BYTES_MIN + 5);
  assert.equal(manifest.hashOf(1), hashB);
});

test("what no chunker can have made is refused", () => {
  const parse = (...lengths: number[]): unknown => {
    const encoded = encodeManifest(lengths.map((length) => ({ hash: hashA, length })));
    return parseManifest(encoded)?.size;
  };
  assert.equal(parse(0), 0);
  assert.equal(parse(1), 1);
  assert.equal(parse(CHUNK_SIZE_BYTES_MAX), CHUNK_SIZE_BYTES_MAX);
  assert.equal(parse(CHUNK_SIZE_BYTES_MAX + 1), undefined);
  assert.equal(parse(CHUNK_SIZE_BYTES_MAX, 0xffff_ffff), undefined);
  assert.equal(parse(CHUNK_SIZE_BYTES_MIN - 1, 10), undefined);
  assert.equal(parse(CHUNK_SIZE_BYTES_MIN, 0), undefined);
  assert.equal(parse(), undefined);
  assert.equal(parseManifest(new Uint8Array(MANIFEST_ITEM_BYTES - 1)), undefined);
  assert.equal(parseManifest(new Uint8Array(MANIFEST_ITEM_BYTES + 1)), undefined);
});

test("the content ID of one chunk is its hash, that of several covers order, lengths and hashes", () => {
  const idOf = (...items: ManifestItem[]): ContentHash => {
    const manifest = parseManifest(encodeManifest(items));
    assert.ok(manifest);
    const id = contentIdOf(manifest);
    assert.equal(contentIdOf(manifest, loadBlake3({ portable: false })), id);
    return id;
  };
  const [a, b] = [
    { hash: hashA, length: CHUNK_SIZE_BYTES_MIN },
    { hash: hashB, length: CHUNK_SIZE_BYTES_MIN },
  ];
  assert.equal(idOf(a), hashA);
  const ids = [
    idOf(a, b),
    idOf(b, a),
    idOf(a, { ...b, length: b.length - 1 }),
    idOf(a, a),
    idOf(a, b, b),
    hashA,
    hashB,
  ];
  assert.equal(new Set(ids).size, ids.length);
  // Frozen: part of the protocol.
  assert.equal(ids[0], PROTOCOL_ID);
  // Not the plain hash of the manifest: a file that holds a manifest's bytes is another content.
  assert.notEqual(ids[0], contentHash(encodeManifest([a, b])));
});

test("a manifest grows chunk by chunk", () => {
  const builder = new ManifestBuilder();
  for (let index = 0; index < 1000; index++) builder.add(idBytes(hashA), CHUNK_SIZE_BYTES_MIN + index);
  const manifest = parseManifest(builder.encoded());
  assert.equal(manifest?.count, 1000);
  assert.equal(builder.count, 1000);
  for (let index = 0; index < 1000; index++) assert.equal(manifest.lengthOf(index), CHUNK_SIZE_BYTES_MIN + index);
});

const PROTOCOL_ID = "c7e8d22a772a931e62134e597a59302218e991ace39bb57dc8280a28f96705be";

function arbitraryItems(): fc.Arbitrary<ManifestItem[]> {
  const hash = fc.uint8Array({ maxLength: 8 }).map((bytes) => contentHash(bytes));
  const full = fc.record({ hash, length: fc.integer({ min: CHUNK_SIZE_BYTES_MIN, max: CHUNK_SIZE_BYTES_MAX }) });
  const last = fc.record({ hash, length: fc.integer({ min: 1, max: CHUNK_SIZE_BYTES_MAX }) });
  return fc.tuple(fc.array(full), last).map(([items, item]) => items.concat(item));
}
