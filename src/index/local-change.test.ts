import assert from "node:assert/strict";
import { test } from "node:test";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { COUNTER_MAX, STAMP_MS_MAX } from "../core/limits.ts";
import { EMPTY_ENTRY, type Content, type Entry } from "./entry.ts";
import { contentEqual, sameContent } from "./content.ts";
import { observe, type Outcome } from "./local-change.ts";
import { conflictEntry } from "./merge.ts";

const path = pathOf("notes.txt");
const self = replicaIdOf(0);
const other = replicaIdOf(1);
const NOW_MS = 1_000_000;

function fileOf(index: number, changes: { mode?: number; mtimeUs?: number } = {}): Content {
  return { kind: "file", contentId: contentIdOf(index), size: 3, mode: 0o644, mtimeUs: 900_000_000, ...changes };
}

function liveEntry(replica: typeof self, counter: number, content: Content, stamp = counter): Entry {
  const live = { dot: { replica, counter }, stamp, author: "x", content };
  return { seen: [[replica, counter]], live };
}

function look(observed: Content | "absent", entries: { known?: Entry; present?: Entry } = {}): Outcome {
  const { known = EMPTY_ENTRY, present = known } = entries;
  let counter = 0;
  const nextDot = (atLeast: number) => ({ replica: self, counter: (counter = Math.max(counter + 1, atLeast)) });
  return observe({ record: { path, known, present }, observed, nextDot, nowMs: NOW_MS, author: "me" });
}

/** The look must have found a change. */
function changed(outcome: Outcome): Extract<Outcome, { kind: "changed" }> {
  assert(outcome.kind === "changed");
  return outcome;
}

function stampOf(outcome: Outcome): number | undefined {
  return changed(outcome).present.live?.stamp;
}

test("what is as present says is unchanged, and costs no dot", () => {
  const noDot = () => assert.fail("a dot was used");
  const present = liveEntry(other, 5, fileOf(1));
  for (const [entry, observed] of [
    [present, fileOf(1)],
    [EMPTY_ENTRY, "absent"],
    [{ seen: present.seen, live: undefined }, "absent"],
  ] as const) {
    const record = { path, known: liveEntry(other, 9, fileOf(2)), present: entry };
    assert.deepEqual(observe({ record, observed, nextDot: noDot, nowMs: 0, author: "" }), { kind: "unchanged" });
  }
});

test("what is as known says is adopted without a new dot", () => {
  const known = liveEntry(other, 9, fileOf(2));
  const outcome = look(fileOf(2), { known, present: liveEntry(other, 5, fileOf(1)) });
  assert(outcome.kind === "adopted");
  assert.equal(outcome.present, known);

  const tombstone: Entry = { seen: [[other, 9]], live: undefined };
  assert.deepEqual(look("absent", { known: tombstone, present: liveEntry(other, 5, fileOf(1)) }), {
    kind: "adopted",
    present: tombstone,
  });
});

test("what is as known says, but for a time that the disk rounded, is adopted; a touch of what was there is not", () => {
  const known = liveEntry(other, 9, fileOf(2, { mtimeUs: 903_500_000 }));
  for (const mtimeUs of [903_000_000, 902_000_000]) {
    const rounded = fileOf(2, { mtimeUs });
    assert.equal(look(rounded, { known, present: liveEntry(other, 5, fileOf(1)) }).kind, "adopted");
    assert.equal(look(rounded, { known, present: known }).kind, "changed");
  }
  const touched = fileOf(2, { mtimeUs: 901_000_000 });
  assert.equal(look(touched, { known, present: liveEntry(other, 5, fileOf(1)) }).kind, "changed");
});

test("a new file", () => {
  const outcome = changed(look(fileOf(1)));
  assert.deepEqual(outcome.known, {
    seen: [[self, NOW_MS]],
    live: { dot: { replica: self, counter: NOW_MS }, stamp: 900_000, author: "me", content: fileOf(1) },
  });
  assert.equal(outcome.present, outcome.known);
  assert.equal(outcome.conflict, undefined);
});

test("a change starts from present: what was only heard of is concurrent", () => {
  const present = liveEntry(other, 5, fileOf(1), 800_000);
  const heard: Entry = { ...liveEntry(other, 9, fileOf(2), 950_000), seen: [[other, 9]] };
  const outcome = changed(look(fileOf(3), { known: heard, present }));
  assert.equal(outcome.known.live, heard.live);
  assert.deepEqual(outcome.known.seen, [
    [self, NOW_MS],
    [other, 9],
  ]);
  assert.deepEqual(outcome.present.seen, [
    [self, NOW_MS],
    [other, 5],
  ]);
  assert.ok(outcome.present.live !== undefined);
  assert.deepEqual(outcome.conflict, conflictEntry(path, outcome.present.live));
});

test("a change that wins has taken into account what it won against", () => {
  const present = liveEntry(other, 5, fileOf(1), 800_000);
  const heard = liveEntry(other, 9, fileOf(2), 850_000);
  const outcome = changed(look(fileOf(3), { known: heard, present }));
  assert.equal(outcome.present, outcome.known);
  assert.equal(outcome.known.live?.dot.replica, self);
  assert.deepEqual(outcome.conflict?.entry.live?.content, heard.live?.content);
});

test("a delete removes what was present, and not what was only heard of", () => {
  const present = liveEntry(other, 5, fileOf(1));
  assert.deepEqual(changed(look("absent", { known: present })).known, {
    seen: [
      [self, NOW_MS],
      [other, 5],
    ],
    live: undefined,
  });
  const heard = liveEntry(other, 9, fileOf(2));
  assert.equal(changed(look("absent", { known: heard, present })).known.live, heard.live);
});

test("a new mode or mtime is a change", () => {
  const known = liveEntry(other, 5, fileOf(1));
  for (const observed of [fileOf(1, { mode: 0o600 }), fileOf(1, { mtimeUs: 900_000_001 })]) {
    const outcome = changed(look(observed, { known }));
    assert.deepEqual(outcome.known.live?.content, observed);
    assert.equal(outcome.conflict, undefined);
  }
});

test("the stamp is the mtime, but after what came before and not in the future", () => {
  const file = (mtimeMs: number): Content => fileOf(9, { mtimeUs: mtimeMs * 1000 + 999 });
  const on = (stamp: number, content = fileOf(1)) => ({ known: liveEntry(other, 5, content, stamp) });
  assert.equal(stampOf(look(file(500_000))), 500_000);
  assert.equal(stampOf(look(file(-5))), 0);
  assert.equal(stampOf(look(file(2_000_000))), NOW_MS);
  assert.equal(stampOf(look(file(500_000), on(700_000))), 700_001);
  assert.equal(stampOf(look(file(500_000), on(NOW_MS + 50))), NOW_MS + 51);
  assert.equal(stampOf(look(file(500_000), on(STAMP_MS_MAX))), STAMP_MS_MAX);
  assert.equal(stampOf(look({ kind: "symlink", target: "x" }, on(700_000))), NOW_MS);
});

test("a file made again after a delete is newer than the delete", () => {
  const known: Entry = { seen: [[other, 800_000]], live: undefined };
  assert.equal(stampOf(look(fileOf(1, { mtimeUs: 5_000_000 }), { known })), 800_001);
});

test("a dot that others have heard of already is not used again", () => {
  const known: Entry = { seen: [[self, NOW_MS + 70]], live: undefined };
  const outcome = changed(look(fileOf(1), { known, present: EMPTY_ENTRY }));
  assert.equal(outcome.known.live?.dot.counter, NOW_MS + 71);
});

test("our own version that is live here and never was on this disk lives on when overtaken", () => {
  const known = liveEntry(self, 5, fileOf(1));
  const outcome = changed(look(fileOf(2), { known, present: EMPTY_ENTRY }));
  assert.equal(outcome.known.live?.content, outcome.present.live?.content);
  assert.deepEqual(outcome.conflict?.entry.live?.content, fileOf(1));
  assert.equal(changed(look(fileOf(1, { mode: 0 }), { known, present: EMPTY_ENTRY })).conflict, undefined);
});

test("equal and same content", () => {
  const contents: readonly Content[] = [
    fileOf(1),
    fileOf(2),
    { kind: "directory", mode: 0o755 },
    { kind: "symlink", target: "a" },
    { kind: "symlink", target: "b" },
  ];
  for (const a of contents) {
    for (const b of contents) {
      assert.equal(sameContent(a, b), a === b);
      assert.equal(contentEqual(a, b), a === b);
    }
  }
  const variants: readonly (readonly [Content, Content])[] = [
    [fileOf(1), fileOf(1, { mode: 0 })],
    [fileOf(1), fileOf(1, { mtimeUs: 0 })],
    [
      { kind: "directory", mode: 0 },
      { kind: "directory", mode: 1 },
    ],
  ];
  for (const [a, b] of variants) assert.deepEqual([sameContent(a, b), contentEqual(a, b)], [true, false]);
});

test("a claim near the end of our counter does not use it up", () => {
  for (const claimed of [COUNTER_MAX, COUNTER_MAX / 2]) {
    const known: Entry = { seen: [[self, claimed]], live: undefined };
    const first = changed(look(fileOf(1), { known })).present;
    const dot = first.live?.dot;
    assert.notEqual(dot?.replica, self);
    assert.ok(dot !== undefined && dot.counter < COUNTER_MAX / 2);
    // What is claimed of the replica that took over does not stop the next one.
    const again: Entry = {
      seen: [...known.seen, [dot.replica, COUNTER_MAX] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      live: undefined,
    };
    const third = changed(look(fileOf(1), { known: again })).present.live?.dot.replica;
    assert.ok(third !== undefined && third !== dot.replica && third !== self);
  }
  const known: Entry = { seen: [[self, COUNTER_MAX / 2 - 1]], live: undefined };
  assert.deepEqual(changed(look(fileOf(1), { known })).present.live?.dot, { replica: self, counter: COUNTER_MAX / 2 });
});
