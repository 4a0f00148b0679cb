import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf } from "../../test/support/replica-world.ts";
import { RECENT_PATHS_LENGTH_MAX } from "../core/limits.ts";
import { RecentRecords, type RecentRecord } from "./recent-records.ts";

const recentOf = (key: string): RecentRecord => ({
  key,
  record: undefined,
  fingerprint: undefined,
  packedKnown: undefined,
});

/** The numbers of the paths that are remembered, the newest first: looking is use. */
function remembered(records: RecentRecords, count: number): readonly number[] {
  const numbers = Array.from({ length: count }, (_, index) => count - 1 - index);
  return numbers.filter((index) => records.get(pathOf(`p${index}`)));
}

test("what was used last is remembered, between half the size and the size", () => {
  const records = new RecentRecords(100);
  for (let index = 0; index < 1000; index++) {
    records.set(pathOf(`p${index}`), recentOf(`${index}`));
    // One of them is used all the time, by looking alone.
    assert.equal(records.get(pathOf("p0"))?.key, "0");
  }
  const last = remembered(records, 1000);
  assert.ok(last.length >= 50 && last.length <= 100, `${last.length}`);
  assert.deepEqual(
    last.filter((index) => index >= 951),
    Array.from({ length: 49 }, (_, index) => 999 - index),
  );
});

test("the newest state of a path is the one that counts", () => {
  const records = new RecentRecords(4);
  for (let turn = 0; turn < 20; turn++) {
    records.set(pathOf("p0"), recentOf(`${turn}`));
    for (let other = 0; other < turn % 3; other++) records.set(pathOf(`other${other}`), recentOf(""));
    assert.equal(records.get(pathOf("p0"))?.key ?? `${turn}`, `${turn}`);
  }
  records.clear();
  assert.equal(records.get(pathOf("p0")), undefined);
});

test("of long paths fewer are remembered", () => {
  const records = new RecentRecords(100_000);
  const names = Array.from({ length: 8_000 }, (_, index) => `${String(index).padStart(5, "0")}${"/long".repeat(800)}`);
  for (const name of names) records.set(pathOf(name), recentOf(name));
  const remembered = names
    .filter((name) => records.get(pathOf(name)) !== undefined)
    .reduce((sum, { length }) => sum + length, 0);
  assert.ok(remembered <= RECENT_PATHS_LENGTH_MAX && remembered > RECENT_PATHS_LENGTH_MAX / 4, `${remembered}`);
});

test("with no size nothing is remembered", () => {
  const records = new RecentRecords(0);
  records.set(pathOf("p0"), recentOf("0"));
  assert.equal(records.get(pathOf("p0")), undefined);
});
