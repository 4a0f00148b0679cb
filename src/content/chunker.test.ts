import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { CHUNK_SIZE_BYTES_AVERAGE, CHUNK_SIZE_BYTES_MAX, CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import { contentHash } from "./blake3.ts";
import { nextCut } from "./chunker.ts";
import { GEAR_TABLE } from "./gear-table.ts";

const KIB = 1024;

test("the gear table is the protocol's", () => {
  const bytes = Buffer.alloc(1024);
  GEAR_TABLE.forEach((value, index) => bytes.writeInt32BE(value, 4 * index));
  assert.equal(contentHash(bytes), "af8a25bfa20888c9f513d81a2185ce1bf0426730197ef5203fc5b197885c2ae5");
  assert.equal(new Set(GEAR_TABLE).size, 256);
});

test("the cuts are the protocol's", () => {
  // Content that a second implementation can make: byte i is the top byte of i * 2654435761 mod 2^32, mixed once more.
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => {
    const mixed = Math.imul(index, 2_654_435_761);
    return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 24;
  });
  assert.deepEqual(cutsOf(bytes), PROTOCOL_CUTS);
});

test("chunks keep their bounds and cover everything", () => {
  fc.assert(
    fc.property(arbitraryContent(4096 * KIB), (bytes) => {
      const cuts = cutsOf(bytes);
      assert.equal(cuts.at(-1) ?? 0, bytes.length);
      let start = 0;
      for (const [index, cut] of cuts.entries()) {
        const length = cut - start;
        assert.ok(length <= CHUNK_SIZE_BYTES_MAX && length > 0);
        if (index < cuts.length - 1) assert.ok(length > CHUNK_SIZE_BYTES_MIN, `${length}`);
        start = cut;
      }
    }),
    { numRuns: 12 },
  );
});

test("a cut depends on the last 32 bytes before it and on the chunk's length, checked the slow way", () => {
  fc.assert(
    fc.property(arbitraryContent(1200 * KIB), (bytes) => {
      assert.equal(nextCut(bytes, 0, bytes.length, true), slowCut(bytes));
    }),
    { numRuns: 8 },
  );
});

test("a cut does not depend on where in memory the content lies, or where in it the chunk begins", () => {
  const content = Uint8Array.from(
    { length: 1200 * KIB },
    (_, index) => GEAR_TABLE[(index * 7 + (index >> 8)) & 255] ?? 0,
  );
  const cut = slowCut(content);
  assert.ok(cut < content.length, "the content has a cut");
  for (let start = 0; start < 9; start++) {
    const memory = new Uint8Array(start + content.length + 3);
    memory.set(content, start);
    assert.equal(nextCut(memory, start, start + content.length, true), start + cut);
    assert.equal(nextCut(memory.subarray(start, start + content.length), 0, content.length, true), cut);
    // The cut is the very last that is looked at, in each place of a round.
    assert.equal(nextCut(content, 0, cut + start, false), cut);
    const shifted = slowCut(content.subarray(start));
    assert.equal(nextCut(content, start, content.length, true), start + shifted);
  }
});

test("cuts do not depend on how much is read at a time", () => {
  fc.assert(
    fc.property(arbitraryContent(3000 * KIB), fc.array(fc.integer({ min: 1, max: 1500 * KIB })), (bytes, reads) => {
      const cuts: number[] = [];
      let start = 0;
      let end = 0;
      for (const read of [...reads, bytes.length]) {
        end = Math.min(bytes.length, end + read);
        while (start < end) {
          // Given a copy at another place: nothing outside of the range may matter.
          const piece = new Uint8Array(end - start + 64).fill(7);
          piece.set(bytes.subarray(start, end), 32);
          const cut = nextCut(piece, 32, 32 + end - start, end === bytes.length);
          if (cut === undefined) {
            assert.ok(end - start < CHUNK_SIZE_BYTES_MAX);
            break;
          }
          start += cut - 32;
          cuts.push(start);
        }
      }
      assert.deepEqual(cuts, cutsOf(bytes));
    }),
    { numRuns: 12 },
  );
});

test("an insertion changes the chunks around it and no others", () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, place) => {
      const bytes = randomBytes(seed, 8192 * KIB);
      const at = Math.floor(place * bytes.length);
      const changed = Buffer.concat([bytes.subarray(0, at), Uint8Array.of(1), bytes.subarray(at)]);
      const before = new Set(hashesOf(bytes));
      const fresh = hashesOf(changed).filter((hash) => !before.has(hash));
      // Usually one or two; cuts fall into step again as soon as one is found in both.
      assert.ok(before.size > 16 && fresh.length <= 8, `${fresh.length} of ${before.size} chunks changed`);
    }),
    { numRuns: 10 },
  );
});

test("chunks have the average length that they should", () => {
  const bytes = randomBytes(20_260_101, 48 * 1024 * KIB);
  const average = bytes.length / cutsOf(bytes).length;
  assert.ok(Math.abs(average - CHUNK_SIZE_BYTES_AVERAGE) < 0.1 * CHUNK_SIZE_BYTES_AVERAGE, `${average}`);
});

test("up to the minimum there is one chunk, and it is known only at the end", () => {
  const bytes = randomBytes(1, CHUNK_SIZE_BYTES_MIN);
  assert.equal(nextCut(bytes, 0, bytes.length, true), bytes.length);
  assert.equal(nextCut(bytes, 0, bytes.length, false), undefined);
});

/** Frozen: other cuts would be another protocol version. */
const PROTOCOL_CUTS: readonly number[] = [
  404_571, 645_530, 937_728, 1_149_640, 1_360_928, 1_505_735, 1_849_011, 2_047_457, 2_245_025, 2_454_885, 2_716_961,
  3_000_000,
];

function cutsOf(bytes: Uint8Array): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length; start = cuts.at(-1) ?? bytes.length) {
    cuts.push(nextCut(bytes, start, bytes.length, true) ?? -1);
  }
  return cuts;
}

/** The definition, word by word. */
function slowCut(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, CHUNK_SIZE_BYTES_MAX);
  for (let cut = CHUNK_SIZE_BYTES_MIN + 1; cut <= end; cut++) {
    let hash = 0;
    for (let back = 0; back < 32; back++) hash = (hash + ((GEAR_TABLE[bytes[cut - 1 - back] ?? 0] ?? 0) << back)) >>> 0;
    const zeros = cut <= 192 * KIB ? 20 : 16;
    if (hash < 2 ** (32 - zeros)) return cut;
  }
  return end;
}

function hashesOf(bytes: Uint8Array): string[] {
  let start = 0;
  return cutsOf(bytes).map((cut) => {
    const hash = contentHash(bytes.subarray(start, cut));
    start = cut;
    return hash;
  });
}

/** Random, constant and repeating content, and mixtures of them. */
function arbitraryContent(lengthMax: number): fc.Arbitrary<Uint8Array> {
  const piece = fc.record({
    kind: fc.constantFrom("random" as const, "constant" as const, "repeating" as const),
    seed: fc.nat(),
    length: fc.integer({ min: 0, max: lengthMax / 2 }),
  });
  return fc
    .array(piece, { minLength: 1, maxLength: 2 })
    .map((pieces) =>
      Buffer.concat(
        pieces.map(({ kind, seed, length }) => {
          if (kind === "random") return randomBytes(seed, length);
          if (kind === "constant") return new Uint8Array(length).fill(seed);
          return Uint8Array.from({ length }, (_, index) => (index % ((seed % 997) + 2)) * 31);
        }),
      ),
    )
    .map((bytes) => new Uint8Array(bytes));
}

function randomBytes(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state = (state + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    words[index] = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  }
  return new Uint8Array(words.buffer, 0, length);
}
