import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { problemOf } from "./problem-of.ts";

function errorOf(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}

test("a system error is a sentence with a way out, and names no path of this machine", () => {
  for (const code of ["ENOENT", "EXDEV", "ENAMETOOLONG", "EACCES", "EROFS", "ENOSPC", "EPERM", "EIO"]) {
    const { code: kept, message } = problemOf("write", Object.assign(new Error(`${code}: no /secret/path`), { code }));
    assert.equal(kept, code);
    assert.match(message, /^Cannot write: [^:]+: .+\.$/);
    assert.doesNotMatch(message, /secret|E[A-Z]{3}/);
  }
  const { code, message } = problemOf(
    "read",
    errorOf(() => fs.readFileSync("/nowhere/at/all")),
  );
  assert.equal(code, "ENOENT");
  assert.match(message, /^Cannot read: it was moved or removed meanwhile/);
});

test("any other error is said in its own words", () => {
  assert.deepEqual(problemOf("look at it", new Error("what")), {
    code: "EUNKNOWN",
    message: "Cannot look at it: what.",
  });
});
