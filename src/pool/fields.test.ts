import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "./fields.ts";

const wrong = (what: string, at: number): RegExp => new RegExp(`a stand message with a wrong ${what} at field ${at}`);

test("fields are taken one after the other, and none may be left over", () => {
  const fields = new Fields("stand", ["name", true, 7]);
  assert.deepEqual([fields.text(4), fields.boolean()], ["name", true]);
  assert.throws(() => fields.end({}), wrong("number of fields", 2));
  assert.equal(fields.u32(), 7);
  assert.deepEqual(fields.end({ type: "stand" }), { type: "stand" });
  assert.throws(() => fields.value(), wrong("number of fields", 3));
});

test("what is no array has no fields", () => {
  for (const body of [undefined, null, 1, "text", { 0: 1 }]) {
    assert.throws(() => new Fields("stand", body), /a stand message that is no array/);
  }
});

test("a limit is in bytes, and may be reached", () => {
  assert.equal(new Fields("stand", ["ää"]).text(4), "ää");
  assert.throws(() => new Fields("stand", ["ää"]).text(3), wrong("text", 1));
  assert.throws(() => new Fields("stand", ["\ud800"]).text(10), wrong("text", 1));
  assert.deepEqual(new Fields("stand", [[1, 2]]).list(2), [1, 2]);
  assert.throws(() => new Fields("stand", [[1, 2]]).list(1), wrong("list", 1));
});

test("a number is whole, not negative and not above its limit", () => {
  assert.equal(new Fields("stand", [0xffff_ffff]).u32(), 0xffff_ffff);
  for (const value of [-1, 0.5, 2 ** 32, Number.NaN, 5n, "5", null]) {
    assert.throws(() => new Fields("stand", [value]).u32(), wrong("integer", 1));
  }
});

test("bytes have a length, come in units, or may be missing", () => {
  const bytes = new Uint8Array(6);
  assert.equal(new Fields("stand", [bytes]).bytesOfLength(6), bytes);
  assert.throws(() => new Fields("stand", [bytes]).bytesOfLength(5), wrong("length of bytes", 1));
  assert.equal(new Fields("stand", [bytes]).bytesInUnitsOf(3, 2), bytes);
  for (const [unit, countMax] of [[4, 2] as const, [3, 1] as const]) {
    assert.throws(() => new Fields("stand", [bytes]).bytesInUnitsOf(unit, countMax), wrong("length of bytes", 1));
  }
  const optional = new Fields("stand", [null, bytes, bytes]);
  assert.deepEqual([optional.optionalBytes(6), optional.optionalBytes(6)], [undefined, bytes]);
  assert.throws(() => optional.optionalBytes(5), wrong("length of bytes", 3));
  // Missing is not the same as left out.
  assert.throws(() => optional.optionalBytes(5), wrong("number of fields", 3));
  assert.throws(() => new Fields("stand", [[0, 1]]).bytesOfLength(2), wrong("bytes", 1));
});

test("a path is one that may be used", () => {
  assert.equal(new Fields("stand", ["a/b"]).path(), "a/b");
  for (const path of ["../a", "/a", "", 1]) {
    assert.throws(() => new Fields("stand", [path]).path(), wrong("path", 1));
  }
});
