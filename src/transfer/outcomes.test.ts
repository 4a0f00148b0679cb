import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { contentIdOf, pathOf, replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import type { RelativePath } from "../core/path.ts";
import type { Entry, PathRecord, StatSignature } from "../index/entry.ts";
import { Ledger } from "../index/ledger.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { emptyRecord } from "../index/settle.ts";
import type { ApplyOutcome, FileSource } from "./apply-operation.ts";
import { Outcomes } from "./outcomes.ts";
import type { Source } from "./source.ts";
import type { Work } from "./work.ts";

const [NEW, OLD] = [pathOf("new"), pathOf("old")];
const CONTENT = { kind: "file", contentId: contentIdOf(1), size: 5, mode: 0o644, mtimeUs: 1 } as const;
// No whole second: that would look like a disk with coarse times.
const SIGNATURE: StatSignature = {
  kind: "file",
  size: 5,
  mode: 0o644,
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: 1_700_000_000_123_456_789n,
  inode: 9n,
};

function entryOf(counter: number): Entry {
  const dot = { replica: replicaIdOf(1), counter };
  return { seen: [[dot.replica, counter]], live: { dot, stamp: 1, author: "there", content: CONTENT } };
}

/** `new` is wanted, and `old` holds the same content and is deleted elsewhere. */
function world(left: "nothing" | "ignored" | "others" = "others") {
  const blake3 = loadBlake3({ portable: true });
  const store = createMemoryStore({ replicaId: replicaIdOf(0), hash: (bytes) => blake3.hash(bytes) });
  const ledger = new Ledger(store);
  const wanted: PathRecord = { ...emptyRecord(NEW), known: entryOf(1) };
  const gone: Entry = { seen: [[replicaIdOf(1), 3]], live: undefined };
  const moved: PathRecord = { ...emptyRecord(OLD), known: gone, present: entryOf(2), signature: SIGNATURE };
  ledger.put(emptyRecord(NEW), wanted);
  ledger.put(emptyRecord(OLD), moved);
  const clock = new FakeClock();
  const told: string[] = [];
  const tell =
    (what: string) =>
    (path: RelativePath | undefined): void => {
      if (path !== undefined) told.push(`${what} ${path}`);
    };
  const outcomes = new Outcomes({
    ledger,
    clock,
    toDisk: (path) => path,
    due: { add: tell("due") },
    states: {
      end: tell("end"),
      release: tell("release"),
      rest: () => true,
      forgetRests: () => {},
      wake: tell("wake"),
      wakeWaiters: tell("waiters of"),
    },
    onArrived: tell("arrived"),
    onFailed: (path, { code }) => told.push(`${code} ${path}`),
    onMarked: (bytes) => told.push(`marked ${bytes}`),
    onSettled: (records) => told.push(`settled ${records.map(({ path }) => path).join()}`),
    onChangedOnDisk: tell("look at"),
    leftIn: async () => left,
  });
  return { outcomes, store, clock, told };
}

const place = { diskPath: NEW, expected: "absent" } as const;
const metadata = { mode: CONTENT.mode, mtimeUs: CONTENT.mtimeUs };
const moveOf: Work = {
  path: NEW,
  operation: { ...place, ...metadata, kind: "move", from: OLD, fromSignature: SIGNATURE },
  target: entryOf(1),
  movedFrom: OLD,
};

function fileOf(source: FileSource, sender?: Source): Work {
  const operation = { ...place, ...metadata, kind: "file", contentId: CONTENT.contentId, size: 5, source } as const;
  return { path: NEW, operation, target: entryOf(1), movedFrom: undefined, sender };
}

const applied = (touched = false): ApplyOutcome => ({
  kind: "applied",
  signature: SIGNATURE,
  trashed: undefined,
  touched,
});

test("a move leaves both paths as known, marked, and told together", async () => {
  const { outcomes, store, told } = world();
  await outcomes.note([moveOf], [applied()]);
  assert.equal(store.pendingCount, 0);
  assert.deepEqual([store.get(NEW)?.signature, store.get(OLD)?.signature], [SIGNATURE, undefined]);
  assert.deepEqual([store.isMarked(NEW), store.isMarked(OLD)], [true, true]);
  assert.deepEqual(told, ["end new", "marked 0", "marked 0", "wake new", "release old", "settled new,old"]);
});

test("what was touched right after it was put in place is looked at", async () => {
  const { outcomes, told } = world();
  await outcomes.note([fileOf({ kind: "staged" })], [applied(true)]);
  assert.deepEqual(told, ["end new", "arrived new", "marked 5", "look at new", "wake new", "settled new"]);
});

test("from where something else was found nothing more is taken for that path, until that holds it", async () => {
  const { outcomes, told } = world();
  await outcomes.note([moveOf], [{ kind: "damaged" }]);
  assert.deepEqual(told, ["end new", "waiters of new", "look at old", "due new", "release old"]);
  const mayReuse = (): boolean[] => [outcomes.mayReuse(NEW, OLD), outcomes.mayReuse(OLD, OLD)];
  assert.deepEqual(mayReuse(), [false, true]);
  await outcomes.note([fileOf({ kind: "staged" })], [applied()]);
  assert.deepEqual(mayReuse(), [true, true]);
});

test("who sent something else is not asked again, and it counts as failed", async () => {
  const { outcomes, told } = world();
  const sender = { noteLacking: (path: string) => told.push(`lacking ${path}`) } as unknown as Source;
  const source = { kind: "bytes", encoding: "raw", payload: new Uint8Array(5) } as const;
  await outcomes.note([fileOf(source, sender)], [{ kind: "damaged" }]);
  assert.deepEqual(told, ["end new", "arrived new", "waiters of new", "lacking new", "EDAMAGED new"]);
});

test("a directory that holds only what is ignored is residue, and any other is looked at with its parent", async () => {
  const path = pathOf("old/directory");
  const gone: Entry = { seen: [[replicaIdOf(1), 3]], live: undefined };
  const remove: Work = {
    path,
    operation: { kind: "remove", diskPath: path, expected: "absent" },
    target: gone,
    movedFrom: undefined,
  };
  for (const left of ["ignored", "others"] as const) {
    const { outcomes, store, told } = world(left);
    store.put({ ...emptyRecord(path), known: gone, present: entryOf(1) });
    await outcomes.note([remove], [{ kind: "not-empty" }]);
    assert.equal(store.get(path)?.residue, left === "ignored");
    const then = left === "ignored" ? [`wake ${path}`, `settled ${path}`] : [`look at ${path}`, "look at old"];
    assert.deepEqual(told, [`end ${path}`, ...then]);
  }
});

test("what could not be done because the index could not be written is due a second later", () => {
  const { outcomes, clock, told } = world();
  outcomes.putOff([moveOf]);
  assert.deepEqual(told.splice(0), ["end new", "release old"]);
  clock.advance(1_000);
  assert.deepEqual(told, ["due new"]);
});
