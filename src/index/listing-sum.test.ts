import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StatSignature } from "./entry.ts";
import {
  addSum,
  emptySum,
  hashOfChild,
  isEmptySum,
  subtractSum,
  sumFromBytes,
  sumToKey,
  type ListingSum,
} from "./listing-sum.ts";
import { bytesOf } from "./tables.ts";

type Child = readonly [name: string, state: Parameters<typeof hashOfChild>[1]];

function sumOf(children: readonly Child[]): ListingSum {
  const sum = emptySum();
  for (const child of children) addSum(sum, hashOfChild(...child));
  return sum;
}

const FILE: StatSignature = { kind: "file", size: 2 ** 50, mode: 0o644, mtimeNs: -5n, ctimeNs: 2n ** 62n, inode: 7n };

const signatures = fc.record({
  kind: fc.constantFrom("file", "directory", "symlink"),
  size: fc.constantFrom(0, 1, 2 ** 53 - 1),
  mode: fc.constantFrom(0, 0o7777),
  mtimeNs: fc.constantFrom(-1n, 0n, 2n ** 62n),
  ctimeNs: fc.constantFrom(0n, 1n),
  inode: fc.constantFrom(0n, 2n ** 64n - 1n),
});
const states = fc.oneof(signatures, fc.constantFrom("special", "residue", "unsigned"));
const names = fc.constantFrom("a", "b", "é", "x".repeat(255), "\u{1F600}");
const directories = fc.uniqueArray(fc.tuple(names, states), { selector: ([name]) => name, maxLength: 4 });

function describe(children: readonly Child[]): string {
  const text = ([name, state]: Child): string =>
    typeof state === "string" ? `${name} ${state}` : [name, ...Object.values(state).map(String)].join(" ");
  return children.map(text).toSorted().join("\n");
}

test("two directories have one sum if they hold the same, in any order", () => {
  fc.assert(
    fc.property(directories, directories, (one, other) => {
      assert.equal(sumToKey(sumOf(one)) === sumToKey(sumOf(other)), describe(one) === describe(other));
      assert.deepEqual(sumOf(one.toReversed()), sumOf(one));
    }),
  );
});

test("each part of a signature counts, and to whom it belongs", () => {
  const different: readonly (readonly Child[])[] = [
    [],
    [["a", FILE]],
    [["b", FILE]],
    [["a", { ...FILE, kind: "symlink" }]],
    [["a", { ...FILE, size: FILE.size + 1 }]],
    [["a", { ...FILE, mode: 0o645 }]],
    [["a", { ...FILE, mtimeNs: -6n }]],
    [["a", { ...FILE, ctimeNs: FILE.ctimeNs + 1n }]],
    [["a", { ...FILE, inode: 8n }]],
    [["a", "special"]],
    [["a", "residue"]],
    [["a", "unsigned"]],
    [
      ["a", FILE],
      ["b", { ...FILE, inode: 8n }],
    ],
    [
      ["b", FILE],
      ["a", { ...FILE, inode: 8n }],
    ],
  ];
  assert.equal(new Set(different.map((children) => sumToKey(sumOf(children)))).size, different.length);
});

test("what was added can be taken away again, also after a detour over bytes", () => {
  fc.assert(
    fc.property(directories, directories, (one, other) => {
      const sum = sumOf(one);
      addSum(sum, sumOf(other));
      const again = sumFromBytes(bytesOf(sumToKey(sum)));
      subtractSum(again, sumOf(one));
      assert.deepEqual(again, sumOf(other));
      subtractSum(again, sumOf(other));
      assert.ok(isEmptySum(again));
    }),
  );
});
