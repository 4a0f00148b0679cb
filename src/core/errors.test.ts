import assert from "node:assert/strict";
import { test } from "node:test";

import { DsyncError } from "./errors.ts";

test("an error of another script of the program is one of ours, and others are not", () => {
  const theirs = Object.assign(new Error("from elsewhere"), { name: "DsyncError", code: "usage" });
  assert.ok(theirs instanceof DsyncError);
  assert.ok(new DsyncError("usage", "from here") instanceof DsyncError);
  for (const other of [new Error("usage"), new TypeError("usage"), { name: "DsyncError" }, undefined])
    assert.ok(!(other instanceof DsyncError));
});
