import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { paths, versions } from "../../test/support/arbitraries.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { PATH_BYTES_MAX } from "../core/limits.ts";
import { baseName, isReserved, parsePath } from "../core/path.ts";
import { conflictPath, parseConflictPath } from "./conflict-path.ts";
import type { Version } from "./entry.ts";

const loser: Version = {
  dot: { replica: replicaIdOf(0), counter: 0x12_abcd },
  stamp: Date.UTC(2025, 10, 9, 8, 7, 6, 543),
  author: "anna",
  content: { kind: "file", contentId: contentIdOf(0xbeef), size: 1, mode: 0o644, mtimeUs: 0 },
};
const PART = ".conflict-anna-20251109-080706-beef";

function nameOf(path: string, version = loser): string {
  return conflictPath(pathOf(path), version);
}

test("the part goes before the extension", () => {
  const names: readonly (readonly [string, string])[] = [
    ["notes.txt", `notes${PART}.txt`],
    ["a/b.d/notes.txt", `a/b.d/notes${PART}.txt`],
    ["README", `README${PART}`],
    [".bashrc", `.bashrc${PART}`],
    [".config.json", `.config${PART}.json`],
    ["...", `...${PART}`],
    ["..a", `..a${PART}`],
    ["archive.tar.gz", `archive${PART}.tar.gz`],
    [".tar.gz", `.tar${PART}.gz`],
    ["x.tar", `x${PART}.tar`],
    ["ends.", `ends.${PART}`],
    ["v1. A longer remark", `v1. A longer remark${PART}`],
    ["a.extension-of-25-characters", `a.extension-of-25-characters${PART}`],
    ["Größe.tête", `Größe${PART}.tête`],
  ];
  for (const [path, expected] of names) assert.equal(nameOf(path), expected);
});

test("content without an ID is told apart by its dot", () => {
  for (const content of [
    { kind: "symlink", target: "x" },
    { kind: "directory", mode: 0 },
  ] as const) {
    assert.equal(nameOf("link", { ...loser, content }), "link.conflict-anna-20251109-080706-abcd");
  }
});

test("an author becomes a name that every system takes", () => {
  const authors: readonly (readonly [string, string])[] = [
    ["anna.local", "anna-local"],
    [`a/b\\c:d*e?f"g<h>i|j`, "a-b-c-d-e-f-g-h-i-j"],
    [" x y ", "-x y-"],
    ["", "unnamed"],
    ["a\u0000b\u202ec\n", "a-b-c-"],
    ["e\u0301", "é"],
    ["日".repeat(30), "日".repeat(21)],
  ];
  for (const [author, safe] of authors) {
    assert.equal(nameOf("n", { ...loser, author }), `n.conflict-${safe}-20251109-080706-beef`);
  }
});

test("a conflict copy in conflict gets another part, not one more; the same part gets a number", () => {
  const edited: Version = { ...loser, author: "ben", stamp: loser.stamp + 1000 };
  assert.equal(nameOf(`notes${PART}.txt`, edited), "notes.conflict-ben-20251109-080707-beef.txt");
  assert.equal(nameOf(`notes${PART}.txt`), `notes${PART}-2.txt`);
  assert.equal(nameOf(`notes${PART}-2.txt`), `notes${PART}-3.txt`);
  assert.equal(nameOf(`notes${PART}-9.txt`), `notes${PART}-10.txt`);
  assert.equal(nameOf(`notes${PART}-2.txt`, edited), "notes.conflict-ben-20251109-080707-beef.txt");
});

test("a long name is shortened at a character, and keeps its extension", () => {
  const name = baseName(conflictPath(pathOf(`${"é".repeat(124)}.jpeg`), loser));
  assert.equal(Buffer.byteLength(name), 254);
  assert.match(name, /^é+\.conflict-anna-20251109-080706-beef\.jpeg$/u);
});

test("where the path limit leaves no room, the copy lies in a directory further up", () => {
  const deep = Array.from({ length: 16 }, () => "d".repeat(254)).join("/");
  const path = pathOf(`${deep}/f.txt`);
  assert(Buffer.byteLength(path) <= PATH_BYTES_MAX);
  assert.equal(conflictPath(path, loser), `${deep.slice(0, 15 * 255 - 1)}/f${PART}.txt`);
});

test("any path, any loser: another path that is valid, bounded, and syncs if the first did", () => {
  fc.assert(
    fc.property(paths, versions, versions, (path, first, second) => {
      const seen = new Set([path]);
      let current = path;
      for (const version of [first, first, second, first, first]) {
        const next = conflictPath(current, version);
        assert.equal(parsePath(next), next);
        assert.notEqual(next, current);
        assert(Buffer.byteLength(baseName(next)) <= 255);
        assert.equal(baseName(next).split(".conflict-").length <= baseName(path).split(".conflict-").length + 1, true);
        if (!isReserved(path)) assert.equal(isReserved(next), false);
        current = next;
        seen.add(next);
      }
      assert.notEqual(parseConflictPath(current)?.stampText, undefined);
    }),
    { numRuns: 500 },
  );
});

test("a loser that keeps losing never comes back to a path that it lost", () => {
  fc.assert(
    fc.property(paths, versions, (path, version) => {
      const visited = new Set([path]);
      for (let current = path, i = 0; i < 12; i++) {
        current = conflictPath(current, version);
        assert(!visited.has(current), `${current} again`);
        visited.add(current);
      }
    }),
  );
});

test("a conflict copy's name tells what it is a copy of", () => {
  assert.deepEqual(parseConflictPath(pathOf(`dir/archive${PART}-4.tar.gz`)), {
    original: "dir/archive.tar.gz",
    author: "anna",
    stampText: "20251109-080706",
  });
  const others = [
    "notes.txt",
    "conflict",
    "a.conflict-x.txt",
    `a${PART.slice(0, -1)}.txt`,
    PART,
    `.${PART}`,
    `a${PART}-0`,
  ];
  for (const name of others) assert.equal(parseConflictPath(pathOf(name)), undefined, name);
});

test("the names of thousands of losers that want the same one do not push each other on", () => {
  const taken = new Set<string>();
  let steps = 0;
  for (let counter = 1; counter <= 2_000; counter++) {
    const version = { ...loser, dot: { ...loser.dot, counter } };
    let path = pathOf(nameOf("notes.txt", version));
    for (; taken.has(path); steps++) path = conflictPath(path, version);
    taken.add(path);
  }
  assert.ok(steps < 2_000 * 6, `${steps} steps`);
});
