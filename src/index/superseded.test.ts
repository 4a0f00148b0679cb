import assert from "node:assert/strict";
import { test } from "node:test";
import { SAME_VERSIONS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Version } from "./entry.ts";
import { MemoryTables } from "./memory-tables.ts";
import { conflictEntry, mergeEntries } from "./merge.ts";
import { fileEntry, path } from "./store-contract.ts";
import { Superseded } from "./superseded.ts";

function version(counter: number): Version {
  const { live } = fileEntry({ counter, content: counter });
  assert.ok(live !== undefined);
  return live;
}

const NOTES: RelativePath = path("notes/plan.txt");

test("a copy of a version that was replaced here is withdrawn, and nothing else", () => {
  const superseded = new Superseded(new MemoryTables());
  superseded.note(version(1));
  const copy = conflictEntry(NOTES, version(1));
  const withdrawal = superseded.withdrawalOf(copy.entry);
  assert.ok(withdrawal !== undefined);
  assert.equal(mergeEntries(copy.entry, withdrawal, copy.path).merged.live, undefined);
  // An edit of the copy that has not seen the withdrawal outlives it.
  const edited = fileEntry({ counter: 7, content: 7 });
  assert.equal(mergeEntries(edited, withdrawal, copy.path).merged.live, edited.live);
  assert.equal(superseded.withdrawalOf(edited), undefined);
  assert.equal(superseded.withdrawalOf(conflictEntry(NOTES, version(2)).entry), undefined);
  assert.equal(superseded.withdrawalOf({ seen: copy.entry.seen, live: undefined }), undefined);
});

test("so is the copy of a conflict copy", () => {
  const superseded = new Superseded(new MemoryTables());
  const copy = conflictEntry(NOTES, version(1));
  assert.ok(copy.entry.live !== undefined);
  superseded.note(copy.entry.live);
  assert.notEqual(superseded.withdrawalOf(conflictEntry(copy.path, copy.entry.live).entry), undefined);
});

test("so is the copy that a copy makes when it loses in turn (simulation, seed 900759)", () => {
  const superseded = new Superseded(new MemoryTables());
  superseded.note(version(1));
  const isWithdrawn = (counter: number): boolean => {
    const copy = conflictEntry(NOTES, version(counter));
    assert.ok(copy.entry.live !== undefined);
    superseded.noteCopyOf(copy.entry.live);
    return superseded.withdrawalOf(conflictEntry(copy.path, copy.entry.live).entry) !== undefined;
  };
  assert.deepEqual([1, 2].map(isWithdrawn), [true, false]);
});

test("what was replaced is remembered over a restart", () => {
  const tables = new MemoryTables();
  new Superseded(tables).note(version(1));
  new Superseded(tables).note(version(2));
  const superseded = new Superseded(tables);
  for (const counter of [1, 2]) {
    assert.notEqual(superseded.withdrawalOf(conflictEntry(NOTES, version(counter)).entry), undefined);
  }
});

test("only so many versions are remembered, the newest ones, also over restarts", () => {
  const tables = new MemoryTables();
  for (let counter = 1; counter <= 10; counter++) new Superseded(tables, 4).note(version(counter));
  const superseded = new Superseded(tables, 4);
  superseded.note(version(11));
  const isRemembered = (counter: number): boolean =>
    superseded.withdrawalOf(conflictEntry(NOTES, version(counter)).entry) !== undefined;
  assert.deepEqual([7, 8, 9, 10, 11].map(isRemembered), [false, true, true, true, true]);
});

test("what gave way to the same content is told with it, once (simulation, seed 14405769)", () => {
  const superseded = new Superseded(new MemoryTables());
  superseded.noteSame(version(2), version(1));
  superseded.noteSame(version(4), version(2));
  superseded.noteSame(version(4), version(3));
  assert.deepEqual(superseded.takeSame(version(1)), []);
  assert.deepEqual(superseded.takeSame(version(4)), [version(2), version(3)]);
  assert.deepEqual(superseded.takeSame(version(2)), [version(1)]);
  assert.deepEqual(
    [1, 2, 4].map((counter) => superseded.takeSame(version(counter))),
    [[], [], []],
  );
});

test("of what gave way only so much is remembered", () => {
  const superseded = new Superseded(new MemoryTables());
  for (let counter = 2; counter < 2 + SAME_VERSIONS_MAX; counter++) superseded.noteSame(version(1), version(counter));
  superseded.noteSame(version(1), version(SAME_VERSIONS_MAX + 2));
  assert.equal(superseded.takeSame(version(1)).length, 1);
});
