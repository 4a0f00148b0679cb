import assert from "node:assert/strict";
import { test } from "node:test";
import { contentIdOf, pathOf } from "../../test/support/replica-world.ts";
import type { ContentHash } from "../core/ids.ts";
import { CHUNK_SIZE_BYTES_MIN } from "../core/limits.ts";
import type { RelativePath } from "../core/path.ts";
import { emptyRecord } from "../index/settle.ts";
import { ContentSupply } from "./content-supply.ts";
import type { SmallTask } from "./fetch-queue.ts";

const [A, B] = [pathOf("a"), pathOf("b")];
const CONTENT = { contentId: contentIdOf(1), size: 100 };

/** Everything that is asked for stays asked for. */
function world() {
  const asked = new Map<RelativePath, ContentHash>();
  const told: string[] = [];
  const busy = new Set<RelativePath>();
  const looks = { areAllowed: true };
  const ask = (kind: string, { path, contentId }: SmallTask): void => {
    asked.set(path, contentId);
    told.push(`${kind} ${path}`);
  };
  const supply = new ContentSupply({
    queue: {
      has: (path) => asked.get(path),
      cancel: (path) => asked.delete(path),
      addSmall: (task) => ask("small", task),
      addLarge: (task) => ask("large", task),
    },
    lookFirst: { allows: () => looks.areAllowed, forget: (path) => told.push(`forget ${path}`) },
    isBusy: (path) => busy.has(path),
    onCancelled: (path) => told.push(`cancelled ${path}`),
  });
  const obtain = (path: RelativePath, content = CONTENT) => supply.obtain(emptyRecord(path), content);
  return { supply, obtain, asked, told, busy, looks };
}

test("what came with its announcement is handed out once, and what was asked for instead is cancelled", () => {
  const { supply, obtain, told } = world();
  assert.equal(obtain(A), undefined);
  const bytes = Buffer.alloc(CONTENT.size);
  supply.put({ contentId: CONTENT.contentId, bytes });
  assert.deepEqual(obtain(A), { kind: "bytes", encoding: "raw", payload: bytes });
  assert.equal(obtain(A), undefined);
  assert.deepEqual(told, ["small a", "cancelled a", "small a"]);
});

test("nobody is asked for nothing", () => {
  const { obtain, told } = world();
  const payload = new Uint8Array(0);
  assert.deepEqual(obtain(A, { ...CONTENT, size: 0 }), { kind: "bytes", encoding: "raw", payload });
  assert.deepEqual(told, []);
});

test("one content is fetched for one path, until it is in its place", () => {
  const { supply, obtain, asked, told, busy } = world();
  const after = { kind: "after", path: A };
  const large = { ...CONTENT, size: CHUNK_SIZE_BYTES_MIN + 1 };
  assert.equal(obtain(A, large), undefined);
  // It is being asked for already.
  assert.equal(obtain(A, large), undefined);
  assert.deepEqual(obtain(B, large), after);
  // It has arrived, and is being put in place.
  asked.clear();
  busy.add(A);
  assert.deepEqual(obtain(B, large), after);
  supply.noteArrived(A, large.contentId);
  assert.equal(obtain(B, large), undefined);
  assert.deepEqual(told, ["large a", "large b"]);
});

test("what is wanted no longer is cancelled, and then fetched for whoever else wants it", () => {
  const { supply, obtain, told } = world();
  obtain(A);
  supply.forget(A);
  supply.forget(B);
  assert.equal(obtain(B), undefined);
  assert.equal(obtain(B, { ...CONTENT, contentId: contentIdOf(2) }), undefined);
  assert.deepEqual(told, ["small a", "cancelled a", "forget a", "forget b", "small b", "cancelled b", "small b"]);
});

test("nothing is asked for before the disk has been looked at", () => {
  const { obtain, told, looks } = world();
  looks.areAllowed = false;
  assert.equal(obtain(A), undefined);
  assert.equal(obtain(B), undefined);
  assert.deepEqual(told, []);
});
