import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatSignature } from "../index/entry.ts";
import { isMoved } from "./vanished.ts";

const SECOND_NS = 1_000_000_000n;
const BEFORE: StatSignature = { kind: "file", size: 11, mode: 0o644, mtimeNs: 5n, ctimeNs: 70n, inode: 9n };

function isMovedTo(after: Partial<StatSignature>, birthNs: bigint, before = BEFORE): boolean {
  const signature = { ...before, ctimeNs: 90n, ...after };
  return isMoved(before, { name: "new", signature, target: undefined, problem: undefined, birthNs });
}

test("a rename changes a file's ctime alone", () => {
  assert.ok(isMovedTo({}, 60n));
  for (const other of [{ size: 12 }, { mtimeNs: 6n }, { inode: 8n }, { kind: "symlink" as const }]) {
    assert.ok(!isMovedTo(other, 60n));
  }
});

test("a file that was made after the other one was last seen is none that was moved, whatever its inode", () => {
  assert.ok(isMovedTo({}, 70n), "made and last changed in one moment");
  assert.ok(!isMovedTo({}, 71n));
  assert.ok(isMovedTo({}, 0n), "a disk that does not tell");
});

test("within one step of a coarse clock, nothing can be told", () => {
  const before = { ...BEFORE, mtimeNs: 4n * SECOND_NS, ctimeNs: 8n * SECOND_NS };
  const movedAt = (seconds: bigint): boolean => isMovedTo({ ctimeNs: seconds * SECOND_NS }, before.ctimeNs, before);
  assert.deepEqual([8n, 10n, 12n].map(movedAt), [false, false, true]);
});

test("a directory is known by its inode: its signature has no times", () => {
  const before = { ...BEFORE, kind: "directory", size: 0, mtimeNs: 0n, ctimeNs: 0n } as const;
  assert.ok(isMovedTo({ ctimeNs: 0n }, 60n, before));
});
