// Whether everything that an index derives from its records is what the records say: computed anew, row by row.

import assert from "node:assert/strict";
import { idBytes } from "../../src/core/ids.ts";
import { baseName, parentOf } from "../../src/core/path.ts";
import { createFingerprinter } from "../../src/index/fingerprint.ts";
import { addSum, emptySum, hashOfChild, sumToKey, type ListingSum } from "../../src/index/listing-sum.ts";
import { MerkleTree } from "../../src/index/merkle.ts";
import { parseRecord } from "../../src/index/record-codec.ts";
import { loadMerkle, loadState } from "../../src/index/store-state.ts";
import { bytesOf, keyOf, type TableName, type Tables } from "../../src/index/tables.ts";

/** Throws an AssertionError unless the committed tables are consistent. Returns how many records there are. */
export function verifyTables(tables: Tables, hash: (bytes: Uint8Array) => Uint8Array): number {
  const { pathHash, entryFingerprint } = createFingerprinter(hash);
  const merkle = new MerkleTree();
  const expected = { children: new Set<string>(), pending: new Set<string>(), contents: new Set<string>() };
  const sums = new Map<string, ListingSum>();
  let records = 0;
  let liveCount = 0;
  let last = "";
  for (const key of tables.keys("records", "")) {
    assert.ok(key > last, "record keys ascend");
    last = key;
    const bytes = tables.get("records", key);
    assert.ok(bytes !== undefined);
    const { path, known, present, signature, residue } = parseRecord(bytes);
    assert.equal(key, keyOf(pathHash(path)), "a record's key is its path's hash");
    merkle.replace(bytesOf(key), undefined, entryFingerprint(path, known));
    const parent = parentOf(path);
    const parentKey = parent === undefined ? "\0".repeat(16) : keyOf(pathHash(parent));
    expected.children.add(parentKey + key);
    const state = residue ? "residue" : present.live && (signature ?? "unsigned");
    if (state !== undefined) {
      const sum = sums.get(parentKey) ?? emptySum();
      addSum(sum, hashOfChild(baseName(path), state));
      sums.set(parentKey, sum);
    }
    const [a, b] = [known.live?.dot, present.live?.dot];
    if (a?.replica !== b?.replica || a?.counter !== b?.counter) expected.pending.add(key);
    const content = present.live?.content;
    if (content?.kind === "file" && signature !== undefined) {
      expected.contents.add(keyOf(idBytes(content.contentId).subarray(0, 16)) + key);
    }
    if (known.live !== undefined) liveCount++;
    records++;
  }
  for (const [table, keys] of Object.entries(expected)) assertKeys(tables, table as keyof typeof expected, keys);
  assertSums(tables, sums);
  const state = loadState(tables);
  assert.equal(state?.liveCount ?? 0, liveCount, "liveCount");
  assert.equal(state?.pendingCount ?? 0, expected.pending.size, "pendingCount");
  assert.equal(loadMerkle(tables).rootHex, merkle.rootHex, "Merkle root");
  assert.deepEqual(loadMerkle(tables).children([]), merkle.children([]), "Merkle children");
  return records;
}

function assertKeys(tables: Tables, table: TableName, expected: ReadonlySet<string>): void {
  const found = [...tables.keys(table, "")].filter((key) => table !== "contents" || tables.get(table, key)?.[0] === 0);
  assert.deepEqual(found, [...expected].toSorted(), `rows of ${table}`);
}

function assertSums(tables: Tables, expected: ReadonlyMap<string, ListingSum>): void {
  const found = [...tables.keys("state", "listing ")].map((key) => {
    const row = tables.get("state", key);
    assert.ok(row !== undefined);
    return [key.slice("listing ".length), keyOf(row.subarray(0, 16))] as const;
  });
  const rows = [...expected].map(([key, sum]) => [key, sumToKey(sum)] as const);
  const isNothing = sumToKey(emptySum());
  assert.deepEqual(
    new Map(found.filter(([, sum]) => sum !== isNothing)),
    new Map(rows.filter(([, sum]) => sum !== isNothing)),
    "sums of listings",
  );
}
