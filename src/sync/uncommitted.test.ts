import assert from "node:assert/strict";
import { test } from "node:test";
import { DsyncError } from "../core/errors.ts";
import { INDEX_UNCOMMITTED_BYTES_MAX } from "../core/limits.ts";
import { tooMuchUncommitted } from "./uncommitted.ts";

test("an index that cannot be written is waited for, up to a bound, and then it is said why", () => {
  const error = new Error("Cannot write the index: the disk is full.");
  assert.equal(tooMuchUncommitted(INDEX_UNCOMMITTED_BYTES_MAX, error), undefined);
  const reason = tooMuchUncommitted(INDEX_UNCOMMITTED_BYTES_MAX + 1, error);
  assert.ok(reason instanceof DsyncError);
  assert.match(reason.message, /128 MiB .*the disk is full.*start dsync again/);
});
