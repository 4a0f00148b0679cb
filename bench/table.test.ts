import assert from "node:assert/strict";
import { test } from "node:test";
import { tableOf } from "./table.ts";

test("has a column for each peer that something is compared with, and no other", () => {
  const table = tableOf([
    { case: "X", what: "cp -a", value: 2, unit: "ms", ratios: { cp: 1 } },
    { case: "X", what: "sent", value: 1.25, unit: "×" },
  ]);
  assert.equal(
    table,
    [
      "| case | what  | value  | to cp  | goal |",
      "| ---- | ----- | ------ | ------ | ---- |",
      "| X    | cp -a | 2.0 ms | 1.00 × |      |",
      "| X    | sent  | 1.25 × |        |      |",
    ].join("\n"),
  );
});
