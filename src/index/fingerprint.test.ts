import assert from "node:assert/strict";
import { test } from "node:test";
import { blake3 } from "@noble/hashes/blake3.js";
import * as fc from "fast-check";
import { entries, paths } from "../../test/support/arbitraries.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import type { Content, Entry } from "./entry.ts";
import { EMPTY_ENTRY } from "./entry.ts";
import { createFingerprinter } from "./fingerprint.ts";
import { entriesEqual } from "./merge.ts";

const { pathHash, entryFingerprint } = createFingerprinter((bytes) => blake3(bytes));

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function entryOf(content: Content | undefined): Entry {
  const [replica, counter] = [replicaIdOf(1), 2 ** 40 + 5];
  const live = content && { dot: { replica, counter }, stamp: 2 ** 33 + 1, author: "jörg", content };
  return {
    seen: [
      [replicaIdOf(0), 3],
      [replica, counter],
    ],
    live,
  };
}

test("what is hashed is exactly what the header says", () => {
  const hashed: string[] = [];
  const recorder = createFingerprinter((bytes) => {
    hashed.push(hex(bytes));
    return new Uint8Array(32);
  });
  const path = pathOf("ü/a");
  recorder.pathHash(path);
  recorder.entryFingerprint(path, entryOf(undefined));
  recorder.entryFingerprint(
    path,
    entryOf({ kind: "file", contentId: contentIdOf(1), size: 2 ** 32, mode: 0o644, mtimeUs: -2 }),
  );
  recorder.entryFingerprint(path, entryOf({ kind: "directory", mode: 0o755 }));
  recorder.entryFingerprint(path, entryOf({ kind: "symlink", target: "é" }));

  const seen = [
    "0004c3bc2f61",
    "0002",
    "0000000000000001",
    "0000000000000003",
    "0000000000000002",
    "0000010000000005",
  ].join("");
  const version = ["0000000000000002", "0000010000000005", "0000000200000001", "056ac3b67267"].join("");
  assert.deepEqual(hashed, [
    "c3bc2f61",
    `${seen}00`,
    `${seen}01${version}${contentIdOf(1)}000000010000000001a4fffffffffffffffe`,
    `${seen}02${version}01ed`,
    `${seen}03${version}0002c3a9`,
  ]);
});

test("BLAKE3 makes these values, in every implementation", () => {
  assert.equal(hex(pathHash(pathOf("a.txt"))), "0c1b1bc9896253c19131abb26e3b1342");
  assert.equal(
    hex(entryFingerprint(pathOf("a.txt"), entryOf({ kind: "directory", mode: 0o755 }))),
    "7c818323bf98ffff73f3bea6c810656b",
  );
});

test("an entry that has seen nothing adds nothing", () => {
  assert.deepEqual(entryFingerprint(pathOf("a"), EMPTY_ENTRY), new Uint8Array(16));
});

test("results stay what they were when the next is computed", () => {
  const kept = createFingerprinter((bytes) => Buffer.from(blake3(bytes)));
  const first = kept.pathHash(pathOf("a"));
  kept.pathHash(pathOf("b"));
  assert.deepEqual(Buffer.from(first), Buffer.from(pathHash(pathOf("a"))));
});

test("different entries or paths have different fingerprints", () => {
  fc.assert(
    fc.property(entries, entries, paths, paths, (a, b, at, elsewhere) => {
      const same = entriesEqual(a, b) || (a.seen.length === 0 && b.seen.length === 0);
      assert.equal(hex(entryFingerprint(at, a)) === hex(entryFingerprint(at, b)), same);
      if (a.seen.length === 0 || at === elsewhere) return;
      assert.notEqual(hex(entryFingerprint(at, a)), hex(entryFingerprint(elsewhere, a)));
    }),
  );
});
