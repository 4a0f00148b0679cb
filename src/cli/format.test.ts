import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatDate, formatDuration, plural } from "./format.ts";
import { nearest } from "./nearest.ts";

test("counts", () => {
  assert.deepEqual([0, 999, 1000, 4312, 1234567].map(formatCount), ["0", "999", "1,000", "4,312", "1,234,567"]);
  assert.deepEqual(
    [plural(1, "file"), plural(2, "file"), plural(0, "copy", "copies")],
    ["1 file", "2 files", "0 copies"],
  );
});

test("bytes", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KB"],
    [99_949, "99.9 KB"],
    [99_950, "100 KB"],
    [999_499, "999 KB"],
    [999_500, "1.0 MB"],
    [1.5e9, "1.5 GB"],
    [9e18, "9000 PB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test("durations and dates", () => {
  assert.deepEqual([0, 40, 99, 100, 3600, 7500, 360_000].map(formatDuration), [
    "1 s",
    "40 s",
    "99 s",
    "2 min",
    "60 min",
    "2 h 5 min",
    "100 h 0 min",
  ]);
  assert.match(formatDate("2024-05-01T12:00:00.000Z"), /^2024-0[45]-\d\d \d\d:\d\d$/);
  assert.equal(formatDate("never"), "never");
});

test("the nearest word, if one is near", () => {
  const words = ["path", "port", "no_discovery", "peer", "exclude"];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["prot", "port"],
    ["PORT", "port"],
    ["noDiscovery", "no_discovery"],
    ["no-discovery", "no_discovery"],
    ["exlcude", "exclude"],
    ["peers", "peer"],
    ["banana", undefined],
    ["", undefined],
  ];
  for (const [word, expected] of cases) assert.equal(nearest(word, words), expected, word);
});
