import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { columnsOfText, fitColumns, fitMiddle, padColumns, wrapColumns } from "./text-width.ts";

test("columns: wide characters take two, what is drawn over others none", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["", 0],
    ["plain", 5],
    ["aé", 2],
    ["e\u0301\u0323", 1],
    ["日本", 4],
    ["ｆｕｌｌ", 8],
    ["한국", 4],
    ["\u1112\u1161\u11ab", 2],
    ["👍", 2],
    ["👍🏽", 2],
    ["👩\u200d💻", 2],
    ["🇩🇪", 2],
    ["❤\ufe0f", 2],
    ["a\u200bb", 2],
    ["…█·", 3],
  ];
  for (const [text, columns] of cases) assert.equal(columnsOfText(text), columns, JSON.stringify(text));
});

test("cutting: at the end, in the middle, never through a character", () => {
  assert.equal(fitColumns("日本語", 6), "日本語");
  assert.equal(fitColumns("日本語", 5), "日本…");
  assert.equal(fitColumns("日本語", 4), "日…");
  assert.equal(fitColumns("abc", 0), "");
  assert.equal(fitColumns("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  assert.equal(fitMiddle("holidays/2023/beach.jpg", 13), "holi…each.jpg");
  assert.equal(fitMiddle("short", 5), "short");
  assert.equal(fitMiddle("日本語日本語", 6), "…本語");
  assert.equal(padColumns("日", 4), "日  ");
  assert.equal(padColumns("日本語", 4), "日… ");
});

test("wrapping breaks between words and cuts what is too long", () => {
  assert.deepEqual(wrapColumns("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapColumns("incomprehensible no", 6), ["incom…", "no"]);
  assert.deepEqual(wrapColumns("", 6), [""]);
});

test("whatever the text, a cut one is never wider, a filled one as wide as asked, and one that fits is left alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, columns) => {
      assert.ok(columnsOfText(fitColumns(text, columns)) <= columns);
      assert.ok(columnsOfText(fitMiddle(text, columns)) <= columns);
      if (columnsOfText(text) <= columns) assert.equal(fitColumns(text, columns), text);
      for (const line of wrapColumns(text, columns)) assert.ok(columnsOfText(line) <= columns);
    }),
  );
});
