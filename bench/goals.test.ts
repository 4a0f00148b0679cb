import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAll, judge } from "./goals.ts";
import type { Row } from "./row.ts";

const JOINS = "256 MiB of text, dsync joins a running instance";

test("a goal is met by what is not more, and missed by more", () => {
  const start = (value: number): Row => ({ case: "C6", what: "start, dsync", value, unit: "ms" });
  assert.deepEqual(judge(start(1_500), []), [{ text: "≤ 1500 ms", result: "met" }]);
  assert.deepEqual(judge(start(1_501), []), [{ text: "≤ 1500 ms", result: "missed" }]);
});

test("over a slow line, text has to be faster than a daemon that compresses and than one that does not", () => {
  const row: Row = { case: "C8z", what: JOINS, value: 1, unit: "ms", ratios: { "rsync-z": 0.95, rsync: 1 } };
  assert.deepEqual(judge(row, [row]), [
    { text: "≤ 0.9 × rsync -z from its daemon", result: "missed" },
    { text: "≤ 1.03 × rsync from its daemon", result: "met" },
  ]);
});

test("a goal against what was not measured is unknown", () => {
  const row: Row = { case: "C8", what: JOINS, value: 1, unit: "ms", ratios: {} };
  assert.deepEqual(judge(row, [row]), [{ text: "≤ 1.03 × rsync from its daemon", result: "unknown" }]);
});

test("a goal without a row is named, those of other cases are not", () => {
  const row: Row = { case: "C9", what: "two fresh instances with -a, 1 KiB", value: 500, unit: "ms" };
  assert.deepEqual(
    checkAll(new Set(["C9"]), [row]).map(({ what, hasRow, result }) => [what, hasRow, result]),
    [
      ["relative", false, "unknown"],
      ["two fresh instances with -a, 1 KiB", true, "met"],
      ["over mDNS", false, "unknown"],
    ],
  );
});
