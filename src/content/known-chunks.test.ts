import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";

import { incompressible, removeDirectory, temporaryDirectory, writeFiles } from "../../test/support/trees.ts";
import { contentHashFromBytes } from "../core/ids.ts";
import { nodeFileSystem } from "../edge/node-file-system.ts";
import { loadBlake3, type Blake3 } from "./blake3.ts";
import { hashFiles } from "./hash-job.ts";
import { KnownChunks } from "./known-chunks.ts";
import { MANIFEST_ITEM_BYTES } from "../core/limits.ts";
import { encodeManifest } from "./manifest.ts";

const MIB = 1024 * 1024;
const blake3 = loadBlake3({ portable: false });
const root = temporaryDirectory();
after(() => removeDirectory(root));

/** What the `hash` job says of `bytes`, with and without the manifest of what was there before. */
function manifestOf(bytes: Uint8Array, known: Uint8Array | undefined, using: Blake3 = blake3): Uint8Array | undefined {
  writeFiles(root, { file: bytes });
  const request = { root, files: ["file"], inlineBytesMax: 0 };
  const manifests = new Map(known === undefined ? [] : [["file", known]]);
  const [outcome] = hashFiles(nodeFileSystem, using, { ...request, known: manifests }).outcomes;
  assert.ok(outcome?.kind === "hashed", join(root, "file"));
  return outcome.manifest;
}

interface Edit {
  readonly kind: "overwrite" | "insert" | "remove" | "copy" | "truncate";
  readonly at: number;
  readonly length: number;
}

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("overwrite", "insert", "remove", "copy", "truncate"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 700_000 })),
  }),
  { maxLength: 4 },
);

function edited(bytes: Buffer, { kind, at, length }: Edit, seed: number): Buffer {
  const start = Math.floor(at * bytes.length);
  const [before, rest] = [bytes.subarray(0, start), bytes.subarray(start + length)];
  switch (kind) {
    case "overwrite":
      return Buffer.concat([before, incompressible(length, seed), rest]);
    case "insert":
      return Buffer.concat([before, incompressible(length, seed), bytes.subarray(start)]);
    case "remove":
      return Buffer.concat([before, rest]);
    case "copy":
      return Buffer.concat([bytes, bytes.subarray(start, start + length)]);
    case "truncate":
      return Buffer.from(before);
  }
}

test("whatever was done to a file, knowing its chunks of before changes no cut", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.boolean(), edits, (seed, isUniform, list) => {
      // Uniform content is cut at the largest size, where only the length tells chunks apart.
      const original = isUniform ? Buffer.alloc(4 * MIB + 123, seed) : incompressible(4 * MIB, seed);
      const known = manifestOf(original, undefined);
      const now = list.reduce((bytes, edit, index) => edited(bytes, edit, seed + index + 1), original);
      assert.deepEqual(manifestOf(now, known), manifestOf(now, undefined));
    }),
    { numRuns: 60 },
  );
});

test("what came after a known chunk is guessed to come again; the last one only at the end", () => {
  const hashes = ["a", "b", "c"].map((text) => blake3.hash(Buffer.from(text)));
  const lengths = [200_000, 300_000, 7];
  const known = new KnownChunks(
    encodeManifest(hashes.map((hash, index) => ({ hash: contentHashFromBytes(hash), length: lengths[index] ?? 0 }))),
  );
  const [a = assert.fail(), b = assert.fail()] = hashes;
  assert.equal(known.guess(1_000_000), 200_000);
  assert.equal(known.guess(199_999), undefined);
  assert.ok(!known.confirm(b));
  assert.equal(known.guess(1_000_000), undefined);
  known.noteCut(a);
  assert.equal(known.guess(1_000_000), 300_000);
  assert.ok(known.confirm(b));
  assert.equal(known.guess(8), undefined);
  assert.equal(known.guess(7), 7);
});

test("what is no manifest changes nothing", () => {
  const bytes = incompressible(MIB, 1);
  assert.deepEqual(manifestOf(bytes, Buffer.from("no manifest")), manifestOf(bytes, undefined));
});

test("after an insertion the known chunks are found again: no more than a few are hashed twice", () => {
  const original = incompressible(16 * MIB, 7);
  const known = manifestOf(original, undefined);
  let hashes = 0;
  const counting: Blake3 = { ...blake3, hash: (bytes) => (hashes++, blake3.hash(bytes)) };
  const now = edited(original, { kind: "insert", at: 0.5, length: 1 }, 8);
  const manifest = manifestOf(now, known, counting);
  const count = (manifest?.length ?? 0) / MANIFEST_ITEM_BYTES;
  assert.ok(count > 40 && hashes <= count + 2, `${hashes} hashes for ${count} chunks`);
});
