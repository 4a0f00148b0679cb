// The oracle's own test: what it must call astray, and what not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Book, type Tree } from "./book.ts";

const COPY = "a.conflict-m1-20240101-000000-af13.txt";
const LATER_COPY = "a.conflict-m3-20240101-000004-0001.txt";
const BEFORE = "file 1 before 644 0";
const MINE = "file 2 mine 644 5";
const OTHER = "file 3 other 644 7";

const asIs = (_: number, line: string): string => line;

/** Machine 2's people turn BEFORE into MINE at the copy; with `elsewhere`, machine 1's touch that path, too. */
function strays(tree: Tree, elsewhere?: string): number {
  const book = new Book();
  book.beginPhase();
  book.note(2, new Map([[COPY, BEFORE]]), new Map([[COPY, MINE]]));
  if (elsewhere !== undefined) book.note(1, new Map(), new Map([[elsewhere, OTHER]]));
  return book.strayingFrom(tree, asIs).filter((line) => line.startsWith(COPY)).length;
}

test("a path that one machine's people touched is as they left it", () => {
  assert.equal(strays(new Map([[COPY, MINE]])), 0);
  assert.equal(strays(new Map([[COPY, OTHER]])), 1);
  assert.equal(strays(new Map()), 1);
});

test("a copy of what others touched may take its name, if it is kept beside that", () => {
  const pushedAside = new Map([
    [COPY, OTHER],
    [LATER_COPY, MINE],
  ]);
  assert.equal(strays(pushedAside, "a.txt"), 0);
  assert.equal(strays(pushedAside, "a.txt/b"), 0, "a file loses against a directory that others put something into");
  assert.equal(strays(pushedAside), 1, "nobody else touched anything of that name");
  assert.equal(strays(pushedAside, "b.txt"), 1, "the copy is of something else");
  assert.equal(strays(new Map([[COPY, OTHER]]), "a.txt"), 1, "it is kept nowhere");
  const putBack = new Map([
    [COPY, BEFORE],
    [LATER_COPY, MINE],
  ]);
  assert.equal(strays(putBack, "a.txt"), 1, "what is there is what was there before");
});

test("what lost against a copy of what others touched may have been taken away under its new name", () => {
  const isAstray = (taken: string, made: "before" | "after"): boolean => {
    const book = new Book();
    book.beginPhase();
    const beside = made === "before" ? [[taken, MINE] as const] : [];
    book.note(0, new Map([[COPY, BEFORE], ...beside]), new Map([[COPY, MINE], ...beside]));
    book.note(1, new Map(), new Map([["a.txt", OTHER]]));
    book.note(0, new Map([[taken, MINE]]), new Map([["b.txt", MINE]]));
    return book.strayingFrom(new Map([[COPY, OTHER]]), asIs).some((line) => line.startsWith(COPY));
  };
  assert.ok(!isAstray(LATER_COPY, "after"));
  assert.ok(isAstray(LATER_COPY, "before"), "that was there before it lost");
  assert.ok(isAstray("c.txt", "after"), "that is no copy of the same path");
});

test("a copy that somebody took away comes back only if what it holds was put where it lost before", () => {
  const isAstray = (where: string, order: "before" | "after"): boolean => {
    const book = new Book();
    book.beginPhase();
    const takeAway = (): void => book.note(0, new Map([[COPY, OTHER]]), new Map());
    const putAgain = (): void => book.note(1, new Map(), new Map([[where, OTHER]]));
    for (const act of order === "before" ? [putAgain, takeAway] : [takeAway, putAgain]) act();
    book.note(1, new Map(), new Map([["a.txt", MINE]]));
    return book.strayingFrom(new Map([[COPY, OTHER]]), asIs).some((line) => line.startsWith(COPY));
  };
  assert.ok(!isAstray("a.txt", "after"));
  assert.ok(isAstray("a.txt", "before"), "that was before it was taken away");
  assert.ok(isAstray("b.txt", "after"), "the copy is of something else");
});

test("a copy that somebody took away comes back if dsync was killed before it could record that it was there", () => {
  const isAstray = (unrecorded: string, elsewhere: string): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map([[COPY, OTHER]]), new Map(), {
      unrecorded: new Set([unrecorded]),
      awaited: new Set(),
      isStopped: false,
    });
    book.note(1, new Map(), new Map([[elsewhere, MINE]]));
    return book.strayingFrom(new Map([[COPY, OTHER]]), asIs).some((line) => line.startsWith(COPY));
  };
  assert.ok(!isAstray(COPY, "a.txt"));
  assert.ok(isAstray("a.txt", "a.txt"), "the index held the copy");
  assert.ok(isAstray(COPY, "b.txt"), "nobody else touched anything of that name");
});

test("so it does if another name of its family still held that", () => {
  const isAstray = (beside: string): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map([[COPY, OTHER]]), new Map([[beside, OTHER]]));
    book.note(1, new Map(), new Map([["a.txt", MINE]]));
    return book.strayingFrom(new Map([[COPY, OTHER]]), asIs).some((line) => line.startsWith(COPY));
  };
  assert.deepEqual([LATER_COPY, "b.txt"].map(isAstray), [false, true]);
});

test("what a power loss damaged is lost if it is in a trash only, unless dsync had not found the name it was moved to", () => {
  const isLost = ({ unfound, trashed }: { unfound: string; trashed: string }): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map(), new Map([["a", MINE]]));
    book.note(1, new Map([["a", MINE]]), new Map([["b", MINE]]));
    book.notePowerLoss(1, [], [unfound]);
    return book.lostFrom([new Map([["b", BEFORE]])], [new Map([["batch/a", trashed]])]).length > 0;
  };
  assert.ok(!isLost({ unfound: "mine", trashed: MINE }));
  assert.ok(isLost({ unfound: "mine", trashed: OTHER }), "it is nowhere");
  assert.ok(isLost({ unfound: "other", trashed: MINE }), "the index knew where it was");
});

test("what a person puts where it is to arrive may be in a trash only, if somebody else took it away there", () => {
  const isLost = (awaited: readonly string[], trashes: readonly Tree[]): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map(), new Map([["a", MINE]]));
    book.note(0, new Map([["a", MINE]]), new Map([["b", MINE]]));
    const surroundings = { unrecorded: new Set<string>(), awaited: new Set(awaited), isStopped: false };
    book.note(1, new Map([["b", MINE]]), new Map([["a", MINE]]), surroundings);
    return book.lostFrom([new Map()], trashes).length > 0;
  };
  const trash = new Map([["batch/a", MINE]]);
  assert.ok(!isLost(["a"], [trash]));
  assert.ok(isLost(["a"], []), "it is nowhere");
  assert.ok(isLost(["c"], [trash]), "it was not on its way there");
});

test("what is moved from one conflict path of a file to another may be in a trash only", () => {
  const isLost = (from: string, to: string): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map(), new Map([[from, MINE]]));
    book.note(0, new Map([[from, MINE]]), new Map([[to, MINE]]));
    return book.lostFrom([new Map([[to, BEFORE]])], [new Map([["batch/a", MINE]])]).length > 0;
  };
  assert.ok(!isLost(COPY, LATER_COPY));
  assert.ok(isLost("b.txt", LATER_COPY), "its name was its own");
});

test("a deleted directory may come back for a conflict copy that a power loss left in it", () => {
  const isAstray = (hasLostPower: boolean, inside: string): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map([["d", "directory 755"]]), new Map());
    if (hasLostPower) book.notePowerLoss(1, []);
    const tree = new Map([
      ["d", "directory 755"],
      [`d/${inside}`, MINE],
    ]);
    return book.strayingFrom(tree, asIs).length > 0;
  };
  assert.ok(!isAstray(true, COPY));
  assert.ok(isAstray(false, COPY), "nothing was damaged");
  assert.ok(isAstray(true, "a.txt"), "that is no copy");
});

test("a file makes way for the directory that it replaced and that a power loss brought back", () => {
  const isAstray = (...copies: readonly string[]): boolean => {
    const book = new Book();
    book.beginPhase();
    book.note(0, new Map([["d", "directory 755"]]), new Map([["d", MINE]]));
    book.notePowerLoss(1, []);
    const tree = new Map([
      ["d", "directory 755"],
      [`d/${COPY}`, OTHER],
      ...copies.map((path) => [path, MINE] as const),
    ]);
    return book.strayingFrom(tree, asIs).length > 0;
  };
  assert.ok(!isAstray("d.conflict-m1-20240101-000000-abcd"));
  assert.ok(isAstray(), "it is nowhere");
});

test("a deleted directory comes back for what its machine had not got yet", () => {
  const isAstray = (found: string, ...awaited: readonly string[]): boolean => {
    const book = new Book();
    book.beginPhase();
    const surroundings = { unrecorded: new Set<string>(), awaited: new Set(awaited), isStopped: false };
    book.note(0, new Map([["d", "directory 755"]]), new Map(), surroundings);
    return book.strayingFrom(new Map([["d", found]]), asIs).length > 0;
  };
  assert.ok(!isAstray("directory 755", "d/a"));
  assert.ok(isAstray("directory 755"));
  assert.ok(isAstray("directory 755", "d2/a"));
  assert.ok(isAstray(MINE, "d/a"), "that is no directory");
});

test("it comes back, too, where a file took its place, which is a conflict copy then", () => {
  const isAstray = (copy: string, ...awaited: readonly string[]): boolean => {
    const book = new Book();
    book.beginPhase();
    const surroundings = { unrecorded: new Set<string>(), awaited: new Set(awaited), isStopped: false };
    book.note(0, new Map([["d", "directory 755"]]), new Map([["d", MINE]]), surroundings);
    const found = new Map([
      ["d", "directory 755"],
      ["d.conflict-m1-20240101-000000-abcd", copy],
    ]);
    return book.strayingFrom(found, asIs).length > 0;
  };
  assert.ok(!isAstray(MINE, "d/a"));
  assert.ok(isAstray(MINE));
  assert.ok(isAstray(OTHER, "d/a"), "it is nowhere");
});

test("what was swapped with a copy may come back to its name when it loses there", () => {
  const book = new Book();
  book.beginPhase();
  const before = new Map([
    [COPY, OTHER],
    [LATER_COPY, MINE],
  ]);
  const swapped = new Map([
    [COPY, MINE],
    [LATER_COPY, OTHER],
  ]);
  book.note(0, before, swapped);
  const isAstray = (): boolean => {
    const found = new Map([
      [COPY, OTHER],
      ["a.conflict-m1-20240101-000000-0001.txt", MINE],
    ]);
    return book.strayingFrom(found, asIs).some((line) => line.startsWith(COPY));
  };
  assert.ok(isAstray(), "nobody else touched anything of that name");
  book.note(1, before, new Map([...before, [LATER_COPY, BEFORE]]));
  assert.ok(!isAstray());
});

test("what is put back before dsync starts again is as if nobody had touched it", () => {
  const isAstray = ({ isStopped = true, startsBetween = false, hadEdited = false }): boolean => {
    const book = new Book();
    const surroundings = { unrecorded: new Set<string>(), awaited: new Set<string>(), isStopped };
    const withOriginal = (copy: string): Tree =>
      new Map([
        ["a.txt", MINE],
        [COPY, copy],
      ]);
    const turn = (from: string, to: string): void => book.note(0, withOriginal(from), withOriginal(to), surroundings);
    book.beginPhase();
    if (hadEdited) book.note(0, withOriginal(BEFORE), withOriginal(MINE));
    turn(MINE, OTHER);
    turn(OTHER, BEFORE);
    if (startsBetween) book.noteStart(0);
    turn(BEFORE, MINE);
    // Who replaced what the copy was made of takes the copy away, too.
    book.note(1, new Map([["a.txt", MINE]]), new Map([["a.txt", OTHER]]));
    return book.strayingFrom(new Map([["a.txt", OTHER]]), asIs).length > 0;
  };
  assert.ok(!isAstray({}));
  assert.ok(isAstray({ isStopped: false }), "dsync saw what was there meanwhile");
  assert.ok(isAstray({ startsBetween: true }), "dsync saw it when it started");
  assert.ok(isAstray({ hadEdited: true }), "it was edited while dsync ran");
});

test("a time is held against what the disk shows of it", () => {
  const book = new Book();
  book.beginPhase();
  book.note(0, new Map(), new Map([["a", "file 1 x 644 4"]]));
  const coarse = (_: number, line: string): string => line.replace(/5$/, "4");
  assert.equal(book.strayingFrom(new Map([["a", "file 1 x 644 5"]]), coarse).length, 0);
  assert.equal(book.strayingFrom(new Map([["a", "file 1 x 644 6"]]), coarse).length, 1);
});

test("an edit that a coarse clock hides may go where what it edited is moved", () => {
  const [first, second, third] = ["file 9 one 644 4", "file 9 two 644 4", "file 9 three 644 6"];
  const book = new Book();
  book.beginPhase();
  book.note(0, new Map([["a", first]]), new Map([["b", first]]));
  const isAstray = (found: string): boolean => book.strayingFrom(new Map([["b", found]]), asIs).length > 0;
  assert.ok(isAstray(second));
  book.note(1, new Map([["a", first]]), new Map([["a", second]]));
  assert.ok(!isAstray(second));
  book.note(1, new Map([["a", second]]), new Map([["a", third]]));
  assert.ok(isAstray(third), "the clock shows that edit");
});

test("a copy of what was touched meanwhile comes back where the clock does not show that", () => {
  const isAstray = (touchedUs: number): boolean => {
    const book = new Book();
    book.beginPhase();
    const [mine, touched] = [`file 9 one 644 41`, `file 9 one 644 ${touchedUs}`];
    const seen = (machine: number, line: string): string => (machine === 1 ? line.replace(/.$/, "0") : line);
    book.note(0, new Map(), new Map([["a.txt", mine]]));
    book.note(0, new Map([["a.txt", mine]]), new Map([["a.txt", touched]]));
    book.note(1, new Map([[COPY, seen(1, mine)]]), new Map());
    return book.strayingFrom(new Map([[COPY, touched]]), seen).some((line) => line.startsWith(COPY));
  };
  assert.ok(!isAstray(43));
  assert.ok(!isAstray(53), "the clock shows it");
  assert.ok(isAstray(41), "nobody touched it");
});

test("of two copies of one content, the one that is moved may go with the one that was deleted", () => {
  const isAstray = ({ isStopped = true, isDeleted = true }): boolean => {
    const book = new Book();
    const surroundings = { unrecorded: new Set<string>(), awaited: new Set<string>(), isStopped };
    book.beginPhase();
    book.note(0, new Map(), new Map([["a.txt", BEFORE]]));
    const [both, one] = [[["a.txt", MINE] as const, [COPY, OTHER] as const], [[LATER_COPY, MINE] as const]];
    if (isDeleted) book.note(1, new Map([...both, ...one]), new Map(both), surroundings);
    const swapped = new Map([
      ["a.txt", OTHER],
      [COPY, MINE],
    ]);
    book.note(1, new Map(both), swapped, surroundings);
    const found = new Map([
      ["a.txt", BEFORE],
      [COPY, OTHER],
    ]);
    return book.strayingFrom(found, asIs).some((line) => line.startsWith(COPY));
  };
  assert.ok(!isAstray({}));
  assert.ok(isAstray({ isStopped: false }), "dsync saw the deletion before");
  assert.ok(isAstray({ isDeleted: false }), "nobody deleted any");
});
