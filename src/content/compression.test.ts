import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { test } from "node:test";

import fc from "fast-check";
import lz4 from "lz4-napi";

import { CHUNK_SIZE_BYTES_MAX } from "../core/limits.ts";
import { compressIfSmaller, decompress } from "./compression.ts";

const text = Buffer.from("All happy families are alike; each unhappy family is unhappy in its own way. ".repeat(4000));

test("what compresses comes back as it was", () => {
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(1000), (length, start) => {
      const bytes = text.subarray(start, start + length);
      const compressed = compressIfSmaller(bytes);
      if (compressed === undefined) return assert.ok(bytes.length < 600, `${bytes.length} bytes of text`);
      assert.ok(compressed.length < bytes.length * 0.95);
      assert.deepEqual(Buffer.from(decompress(compressed, bytes.length) ?? []), bytes);
    }),
  );
});

test("what does not shrink is left as it is", () => {
  const random = randomFillSync(new Uint8Array(300_000));
  assert.equal(compressIfSmaller(random), undefined);
  assert.equal(compressIfSmaller(random.subarray(0, 5000)), undefined);
  assert.equal(compressIfSmaller(new Uint8Array(100)), undefined);
  assert.equal(compressIfSmaller(new Uint8Array(0)), undefined);
  // A header that compresses well does not make the rest worth it.
  const header = new Uint8Array(random);
  header.fill(0, 0, 4096);
  assert.equal(compressIfSmaller(header), undefined);
  // The sample decides, before any time goes into the whole.
  const hollow = new Uint8Array(300_000);
  for (const start of [0, (300_000 - 4096) / 2, 300_000 - 4096]) hollow.set(random.subarray(0, 4096), start);
  assert.equal(compressIfSmaller(hollow), undefined);
});

test("a sample is judged by how even its bytes are, and by LZ4 where that does not tell", () => {
  const random = randomFillSync(new Uint8Array(300_000));
  // Six bits a byte: uneven, and still nothing for LZ4.
  assert.equal(compressIfSmaller(random.map((byte) => byte & 63)), undefined);
  // All values equally often, in an order that repeats: even, so that it is sent as it is.
  assert.equal(compressIfSmaller(random.map((_, index) => index)), undefined);
  // Uneven in one of three samples is enough, if that one shrinks by as much as all three should.
  const header = new Uint8Array(random);
  header.fill(0, 0, 100_000);
  assert.ok(compressIfSmaller(header) !== undefined);
});

test("LZ4 is tried on as little as tells", (t) => {
  const { mock } = t.mock.method(lz4, "compressSync");
  const random = randomFillSync(new Uint8Array(300_000));
  const triedOn = (bytes: Uint8Array): readonly number[] => {
    mock.resetCalls();
    compressIfSmaller(bytes);
    return mock.calls.map(({ arguments: [input] }) => input.length);
  };
  assert.deepEqual(triedOn(text), [4096, text.length]);
  assert.deepEqual(triedOn(text.subarray(0, 5000)), [5000]);
  for (const length of [1024, 5000, 300_000]) assert.deepEqual(triedOn(random.subarray(0, length)), [], `${length}`);
});

test("the format is a length and one bare LZ4 block", () => {
  // 12 literals ("abcdefghijkl") and nothing else: token 0xc0.
  const block = Buffer.from("c06162636465666768696a6b6c", "hex");
  const compressed = Buffer.concat([Buffer.from([12, 0, 0, 0]), block]);
  assert.equal(Buffer.from(decompress(compressed, 12) ?? []).toString(), "abcdefghijkl");
});

test("a length that was not promised is refused before anything is allocated", () => {
  const bomb = Buffer.from(lz4.compressSync(Buffer.alloc(64 * 1024 * 1024)));
  assert.equal(decompress(bomb, 64 * 1024 * 1024), undefined);
  bomb.writeUInt32LE(0xffff_ffff);
  assert.equal(decompress(bomb, 1000), undefined);
  assert.equal(decompress(bomb, 0xffff_ffff), undefined);
  // The right length, but more behind it.
  bomb.writeUInt32LE(CHUNK_SIZE_BYTES_MAX);
  assert.equal(decompress(bomb, CHUNK_SIZE_BYTES_MAX), undefined);
  const good = compressIfSmaller(text) ?? assert.fail();
  assert.equal(decompress(good, text.length - 1), undefined);
  assert.equal(decompress(good, text.length + 1), undefined);
});

test("damaged and hostile input is refused or gives the promised length, and never throws", () => {
  const good = Buffer.from(compressIfSmaller(text.subarray(0, 60_000)) ?? assert.fail());
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1 }),
      fc.nat(60),
      (edits, cut) => {
        const bad = Buffer.from(good.subarray(0, good.length - cut));
        for (const [place, value] of edits) bad[place] = value;
        const bytes = decompress(bad, 60_000);
        if (bytes !== undefined) assert.equal(bytes.length, 60_000);
      },
    ),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(CHUNK_SIZE_BYTES_MAX), (body, length) => {
      const bad = Buffer.concat([Buffer.alloc(4), body]);
      bad.writeUInt32LE(length);
      const bytes = decompress(bad, length);
      if (bytes !== undefined) assert.equal(bytes.length, length);
    }),
    { numRuns: 500 },
  );
});
