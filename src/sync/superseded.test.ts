import assert from "node:assert/strict";
import { test } from "node:test";
import { SUPERSEDED_VERSIONS_MAX } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import type { Version } from "../index/entry.ts";
import { conflictEntry, mergeEntries } from "../index/merge.ts";
import { fileEntry, path } from "../index/store-contract.ts";
import { Superseded } from "./superseded.ts";

function version(counter: number): Version {
  const { live } = fileEntry({ counter, content: counter });
  assert.ok(live !== undefined);
  return live;
}

const NOTES: RelativePath = path("notes/plan.txt");

test("a copy of a version that was replaced here is withdrawn, and nothing else", () => {
  const superseded = new Superseded();
  superseded.note(NOTES, version(1));
  const copy = conflictEntry(NOTES, version(1));
  const withdrawal = superseded.withdrawalOf(copy);
  assert.equal(withdrawal?.path, copy.path);
  assert.equal(mergeEntries(copy.entry, withdrawal.entry, copy.path).merged.live, undefined);
  // An edit of the copy that has not seen the withdrawal outlives it.
  const edited = fileEntry({ counter: 7, content: 7 });
  assert.equal(mergeEntries(edited, withdrawal.entry, copy.path).merged.live, edited.live);
  assert.equal(superseded.withdrawalOf(conflictEntry(NOTES, version(2))), undefined);
  assert.equal(superseded.withdrawalOf({ path: copy.path, entry: edited }), undefined);
});

test("so is the copy of a conflict copy", () => {
  const superseded = new Superseded();
  const copy = conflictEntry(NOTES, version(1));
  superseded.note(copy.path, version(3));
  assert.notEqual(superseded.withdrawalOf(conflictEntry(copy.path, version(3))), undefined);
});

test("only so many versions are remembered, the newest ones", () => {
  const superseded = new Superseded();
  for (let counter = 1; counter <= SUPERSEDED_VERSIONS_MAX + 1; counter++) {
    superseded.note(path(`file${counter}`), version(1));
  }
  assert.equal(superseded.withdrawalOf(conflictEntry(path("file1"), version(1))), undefined);
  assert.notEqual(superseded.withdrawalOf(conflictEntry(path("file2"), version(1))), undefined);
});
