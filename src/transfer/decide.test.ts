import assert from "node:assert/strict";
import { test } from "node:test";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import type { Content, Entry, PathRecord } from "../index/entry.ts";
import { emptyRecord } from "../index/settle.ts";
import { decide, type Decision } from "./decide.ts";

const DRAFTS = pathOf("drafts");
const FILE = pathOf("drafts/a");
const NOTHING: Entry = { seen: [], live: undefined };
const GONE: Entry = { seen: [[replicaIdOf(1), 9]], live: undefined };
const DIRECTORY = entryOf({ kind: "directory", mode: 0o755 });
const WANTED = entryOf({ kind: "file", contentId: contentIdOf(7), size: 5, mode: 0o644, mtimeUs: 0 });

function entryOf(content: Content): Entry {
  const dot = { replica: replicaIdOf(1), counter: 1 };
  return { seen: [[dot.replica, 1]], live: { dot, stamp: 1, author: "there", content } };
}

/** What a file that is to come needs, by what its directory is. */
function decideBelow(known: Entry, present: Entry, isBusy = false): Decision {
  const directory: PathRecord = { ...emptyRecord(DRAFTS), known, present };
  return decide(
    { ...emptyRecord(FILE), known: WANTED },
    {
      get: (path) => (path === DRAFTS ? directory : undefined),
      toDisk: (path) => path,
      isIgnored: () => false,
      hasLiveChildren: () => true,
      locationsOf: () => [],
      isBusy: (path) => isBusy && path === DRAFTS,
      mayReuse: () => true,
    },
  );
}

test("a file goes into a directory that is on this disk, also one that is to go", () => {
  assert.equal(decideBelow(DIRECTORY, DIRECTORY).kind, "fetch");
  assert.equal(decideBelow(GONE, DIRECTORY).kind, "fetch");
  assert.deepEqual(decideBelow(GONE, DIRECTORY, true), { kind: "after", path: DRAFTS });
});

test("a file waits for a directory that is to come, and has one brought back that is not", () => {
  assert.deepEqual(decideBelow(DIRECTORY, NOTHING), { kind: "after", path: DRAFTS });
  assert.equal(decideBelow(GONE, NOTHING).kind, "repair");
  assert.equal(decideBelow(WANTED, WANTED).kind, "repair");
});
