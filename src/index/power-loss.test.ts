import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contentIdOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { EMPTY_ENTRY, type Content, type Entry } from "./entry.ts";
import { judgeAfterPowerLoss, type AfterPowerLoss } from "./power-loss.ts";

type FileContent = Extract<Content, { kind: "file" }>;

/** Version `index` of a file: another content at another time. */
function file(index: number): FileContent {
  return { kind: "file", contentId: contentIdOf(index), size: index, mode: 0o644, mtimeUs: index * 1_000_000 };
}

function entry(content: Content | "absent", counter = 1): Entry {
  const dot = { replica: replicaIdOf(0), counter };
  if (content === "absent") return { seen: [[dot.replica, counter]], live: undefined };
  return { seen: [[dot.replica, counter]], live: { dot, stamp: counter, author: "desk", content } };
}

const DAMAGED_CONTENT = contentIdOf(60_000);

const contents: fc.Arbitrary<Content | "absent"> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 6 }).map(file) },
  { weight: 2, arbitrary: fc.constant("absent" as const) },
  { weight: 1, arbitrary: fc.constant<Content>({ kind: "directory", mode: 0o755 }) },
  { weight: 1, arbitrary: fc.constantFrom("x", "y").map((target): Content => ({ kind: "symlink", target })) },
);

/** A path with the states that it went through since the last checkpoint. */
const histories = fc.array(contents, { minLength: 2, maxLength: 6 }).map((states) => {
  const entries = states.map((state, index) => entry(state, index + 1));
  const held = entries.at(-1) ?? EMPTY_ENTRY;
  return { states, held, before: entries.slice(0, -1) };
});

const judge = (
  path: Omit<AfterPowerLoss, "pending" | "isTouchedSince" | "isRecent"> & Partial<AfterPowerLoss>,
): ReturnType<typeof judgeAfterPowerLoss> =>
  judgeAfterPowerLoss({ pending: undefined, isTouchedSince: false, isRecent: false, ...path });

test("any state that the path went through is the present one again, and no edit", () => {
  fc.assert(
    fc.property(histories, fc.nat(5), ({ states, held, before }, choice) => {
      const found = states[choice % states.length] ?? "absent";
      const verdict = judge({ held, before, found });
      if (verdict.kind === "leave") assert.deepEqual(found, states.at(-1));
      else assert.deepEqual(verdict.kind === "undone" && (verdict.present.live?.content ?? "absent"), found);
    }),
  );
});

test("what is in place is left, whatever was there before", () => {
  fc.assert(
    fc.property(histories, ({ states, held, before }) => {
      assert.equal(judge({ held, before, found: states.at(-1) ?? "absent" }).kind, "leave");
    }),
  );
});

test("another content under a time that was written is damage, unless it is longer: a power loss adds nothing", () => {
  fc.assert(
    fc.property(histories, fc.nat(5), fc.nat(10), ({ states, held, before }, choice, size) => {
      const files = states.filter((state): state is FileContent => state !== "absent" && state.kind === "file");
      const version = files[choice % Math.max(files.length, 1)];
      fc.pre(version !== undefined);
      const found = { ...version, contentId: DAMAGED_CONTENT, size };
      // On a coarse disk, the time may be that of a version that is longer by one.
      fc.pre(size !== version.size + 1);
      assert.equal(judge({ held, before, found }).kind, size > version.size ? "doubtful" : "damaged");
    }),
  );
});

test("another time is a person's touch, or an edit beside what may have been damaged", () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 7 }), ({ held, before }, index) => {
      const found = { ...file(index), mtimeUs: 123 };
      const content = held.live?.content;
      const isTouch = content?.kind !== "file" || content.contentId === found.contentId;
      assert.equal(judge({ held, before, found }).kind, isTouch ? "leave" : "beside");
    }),
  );
});

test("damage that looks like what was there before is damage all the same (simulation, seed 601031)", () => {
  const around = { held: entry(file(2), 2), before: [entry(file(1))] };
  assert.equal(judge({ ...around, found: { ...file(1), mtimeUs: file(2).mtimeUs } }).kind, "damaged");
});

test("what a person did to a file since, with its old time put back, is no damage (simulation, seed 600133)", () => {
  const around = {
    held: entry(file(2), 2),
    before: [entry(file(1))],
    found: { ...file(2), contentId: DAMAGED_CONTENT },
  };
  assert.equal(judge({ ...around, isTouchedSince: true }).kind, "doubtful");
  assert.equal(judge({ ...around, isTouchedSince: false }).kind, "damaged");
});

test("what is marked and cannot be read has seen nothing; what is not marked is as it was", () => {
  const held = entry(file(2), 2);
  assert.equal(judge({ held, before: [entry(file(1))], found: "unreadable" }).kind, "beside");
  assert.equal(judge({ held, before: [], found: "unreadable" }).kind, "leave");
  const directory = entry({ kind: "directory", mode: 0o755 }, 2);
  assert.equal(judge({ held: directory, before: [EMPTY_ENTRY], found: "unreadable" }).kind, "leave");
});

test("a known content with another mode only is a person's chmod", () => {
  assert.equal(
    judge({ held: entry(file(2)), before: [entry(file(1))], found: { ...file(2), mode: 0o600 } }).kind,
    "leave",
  );
});

test("a file that vanished is fetched again, and a path that is not marked may well be deleted", () => {
  const held = entry(file(2));
  assert.equal(judge({ held, before: [entry(file(1))], found: "absent" }).kind, "damaged");
  assert.equal(judge({ held, before: [], found: "absent" }).kind, "leave");
});

test("a removal that never reached the disk is undone", () => {
  const removed = entry(file(1));
  assert.deepEqual(judge({ held: entry("absent", 2), before: [removed], found: file(1) }), {
    kind: "undone",
    present: removed,
  });
});

test("what is pending may be in place without the index knowing: whole it is present, damaged it is damage", () => {
  const pending = entry(file(2), 2);
  for (const held of [EMPTY_ENTRY, entry(file(1))]) {
    const path = { held, before: [], pending, isTouchedSince: false, isRecent: false };
    assert.equal(judgeAfterPowerLoss({ ...path, found: file(2) }).kind, "done");
    assert.equal(judgeAfterPowerLoss({ ...path, found: { ...file(2), contentId: DAMAGED_CONTENT } }).kind, "damaged");
    // Not marked: what is held was durable, so the old time under another content is an edit that put the time back.
    assert.equal(judgeAfterPowerLoss({ ...path, found: { ...file(1), contentId: DAMAGED_CONTENT } }).kind, "leave");
  }
});

test("what a person appended to a pending file under its old time is no damage (simulation, seed 934356)", () => {
  const path = { held: EMPTY_ENTRY, before: [], pending: entry(file(2)) };
  const found = { ...file(2), contentId: DAMAGED_CONTENT };
  assert.equal(judge({ ...path, found: { ...found, size: 3 } }).kind, "doubtful");
  assert.equal(judge({ ...path, found }).kind, "damaged");
});

test("damage of what a person saved just before is kept beside it (simulation, seed 600234)", () => {
  const path = { held: entry(file(2)), before: [], isRecent: true };
  const found = { ...file(2), contentId: DAMAGED_CONTENT };
  assert.equal(judge({ ...path, found }).kind, "beside");
  for (const other of [{ isRecent: false }, { isTouchedSince: true }, { found: { ...found, mtimeUs: 123 } }]) {
    assert.equal(judge({ ...path, found, ...other }).kind, "leave", "somebody else's edit, or none");
  }
  assert.equal(judge({ ...path, found: { ...file(2), mode: 0o600 } }).kind, "leave");
  assert.equal(judge({ ...path, found: "absent" }).kind, "leave");
});

test("a disk that keeps every other second only shows the same verdicts", () => {
  const written = { ...file(3), mtimeUs: 3_900_001 };
  const former = { ...file(2), mtimeUs: 1_000_001 };
  const asKept = (content: FileContent): FileContent => ({
    ...content,
    mtimeUs: content.mtimeUs - (content.mtimeUs % 2_000_000),
  });
  const around = { held: entry(written, 2), before: [entry(former, 1)] };
  assert.equal(judge({ ...around, found: asKept(written) }).kind, "leave");
  assert.equal(judge({ ...around, found: asKept(former) }).kind, "undone");
  assert.equal(judge({ ...around, found: { ...asKept(written), contentId: DAMAGED_CONTENT } }).kind, "damaged");
  const edited = { ...file(5), mtimeUs: 4_000_000 };
  assert.equal(judge({ ...around, found: edited }).kind, "beside");
});
