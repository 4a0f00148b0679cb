import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf } from "../../test/support/replica-world.ts";
import type { PathRecord, StatSignature } from "./entry.ts";
import { lastChangedFiles } from "./last-change.ts";
import { emptyRecord } from "./settle.ts";

const NOW_MS = 1_700_000_000_000;

function changed(name: string, agoMs: number, kind: StatSignature["kind"] = "file"): PathRecord {
  const ctimeNs = BigInt(NOW_MS - agoMs) * 1_000_000n;
  return { ...emptyRecord(pathOf(name)), signature: { kind, size: 1, mode: 0o644, mtimeNs: 0n, ctimeNs, inode: 1n } };
}

test("the last files that changed are those within so long before the last one that is not of the future", () => {
  const records = [
    changed("future", -1),
    changed("last", 60_000),
    changed("just before", 61_999),
    changed("long before", 62_000),
    changed("directory", 60_000, "directory"),
    emptyRecord(pathOf("not here")),
  ];
  const store = { inSubtree: () => records };
  assert.deepEqual(lastChangedFiles(store, NOW_MS, 2_000), ["future", "last", "just before"]);
});
