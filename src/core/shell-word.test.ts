import assert from "node:assert/strict";
import { test } from "node:test";
import { shellWord } from "./shell-word.ts";

test("a word is quoted when a shell would not take it as one", () => {
  assert.equal(shellWord("/home/u/Ünï_1.x"), "/home/u/Ünï_1.x");
  assert.equal(shellWord("/my folder"), "'/my folder'");
  assert.equal(shellWord("it's"), String.raw`'it'\''s'`);
  assert.equal(shellWord("a$(b)"), "'a$(b)'");
  assert.equal(shellWord("a\u001bb"), String.raw`'a\x1bb'`);
});
