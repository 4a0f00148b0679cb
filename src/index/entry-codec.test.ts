import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Packr } from "msgpackr";
import { entries } from "../../test/support/arbitraries.ts";
import { contentIdOf, replicaIdOf } from "../../test/support/replica-world.ts";
import {
  COUNTER_MAX,
  NAME_BYTES_MAX,
  STAMP_MS_MAX,
  SYMLINK_TARGET_BYTES_MAX,
  VECTOR_ITEMS_MAX,
} from "../core/limits.ts";
import { encodeEntry, parseEntry } from "./entry-codec.ts";
import { EMPTY_ENTRY, type Content, type Entry } from "./entry.ts";

const file: Content = { kind: "file", contentId: contentIdOf(7), size: 5, mode: 0o644, mtimeUs: -12 };

function entryOf(content: Content): Entry {
  return {
    seen: [
      [replicaIdOf(0), 3],
      [replicaIdOf(1), 9],
    ],
    live: { dot: { replica: replicaIdOf(1), counter: 8 }, stamp: 77, author: "anna", content },
  };
}

test("the bytes are those that the protocol says", () => {
  assert.deepEqual(encodeEntry(entryOf(file)), [
    Buffer.from("00000000000000010000000000000002", "hex"),
    [3, 9],
    1,
    8,
    77,
    "anna",
    0,
    Buffer.from(contentIdOf(7), "hex"),
    5,
    0o644,
    -12,
  ]);
  assert.deepEqual(encodeEntry(entryOf({ kind: "directory", mode: 0o755 })).slice(6), [1, 0o755]);
  assert.deepEqual(encodeEntry(entryOf({ kind: "symlink", target: "../x" })).slice(6), [2, "../x"]);
  assert.deepEqual(encodeEntry(EMPTY_ENTRY), [Buffer.alloc(0), []]);
});

test("parse gives back what was encoded, through MessagePack too", () => {
  const packr = new Packr({ useRecords: false });
  fc.assert(
    fc.property(entries, (entry) => {
      assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
      assert.deepEqual(parseEntry(packr.unpack(packr.pack(encodeEntry(entry)))), entry);
    }),
    { numRuns: 500 },
  );
});

test("an empty entry is the one that everybody compares with", () => {
  assert.equal(parseEntry(encodeEntry({ seen: [], live: undefined })), EMPTY_ENTRY);
});

test("a field that is out of its range, missing or of another type makes it no entry", () => {
  const replicas = (...hex: string[]): Buffer => Buffer.from(hex.join(""), "hex");
  const [a, b] = [replicaIdOf(0), replicaIdOf(1)];
  const wrongFields: readonly (readonly [content: Content, field: number, ...wrong: unknown[]])[] = [
    [file, 0, replicas(b, a), replicas(a, a), replicas(a), replicas(a, b).subarray(1), `${a}${b}`, undefined],
    [file, 1, [0, 9], [3, 7], [3, 8.5], [3, "9"], [3, COUNTER_MAX + 1], [3], [3, 9, 9], 3],
    [file, 2, -1, 2, 0.5, "1", null],
    [file, 3, 0, 10, 7.5, "8"],
    [file, 4, -1, STAMP_MS_MAX + 1, 0.5, Number.NaN, "77"],
    [file, 5, "ü".repeat(NAME_BYTES_MAX / 2 + 1), "x".repeat(NAME_BYTES_MAX + 1), "\ud800", 5, null],
    [file, 6, 1, 2, 3, "file", undefined],
    [file, 7, Buffer.alloc(31), Buffer.alloc(33), "x".repeat(32), undefined],
    [file, 8, -1, 2 ** 53, 0.5, 5n],
    [file, 9, -1, 0o10000, 1.5],
    [file, 10, 2 ** 53, 0.5, "0", Number.POSITIVE_INFINITY],
    [file, 11, 0],
    [{ kind: "directory", mode: 0 }, 7, -1, 0o10000, "7"],
    [{ kind: "directory", mode: 0 }, 8, 0],
    [{ kind: "symlink", target: "x" }, 7, "", "a\0b", "\udc00", "x".repeat(SYMLINK_TARGET_BYTES_MAX + 1), 7],
    [{ kind: "symlink", target: "x" }, 8, 0],
  ];
  for (const [content, field, ...wrongValues] of wrongFields) {
    for (const wrong of wrongValues) {
      const fields = encodeEntry(entryOf(content));
      fields[field] = wrong;
      assert.equal(parseEntry(fields), undefined, `field ${field} as ${String(wrong)}`);
    }
  }
  for (let length = 3; length < 11; length++) {
    assert.equal(parseEntry(encodeEntry(entryOf(file)).slice(0, length)), undefined, `${length} fields`);
  }
});

test("limits are what is still taken", () => {
  const seen = Array.from({ length: VECTOR_ITEMS_MAX + 1 }, (_, i) => [replicaIdOf(i), COUNTER_MAX] as const);
  assert.equal(parseEntry(encodeEntry({ seen, live: undefined })), undefined);
  assert.notEqual(parseEntry(encodeEntry({ seen: seen.slice(1), live: undefined })), undefined);
  const longest: Content = { kind: "symlink", target: "x".repeat(SYMLINK_TARGET_BYTES_MAX) };
  assert.deepEqual(parseEntry(encodeEntry(entryOf(longest))), entryOf(longest));
});

test("anything else is no entry, and never throws", () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.array(fc.anything()),
    fc.array(fc.oneof(fc.anything(), fc.nat(), fc.uint8Array())),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const entry = parseEntry(value);
      if (entry !== undefined) assert.deepEqual(parseEntry(encodeEntry(entry)), entry);
    }),
    { numRuns: 2000 },
  );
});
