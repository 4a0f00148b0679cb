import assert from "node:assert/strict";
import { test } from "node:test";

import type { RelativePath } from "../core/path.ts";
import { Waiting } from "./waiting.ts";

const [a, b, c] = ["a", "b", "c"] as [RelativePath, RelativePath, RelativePath];

test("who waits for a path is told once, and waits no longer", () => {
  const waiting = new Waiting();
  waiting.add(b, a);
  waiting.add(c, a);
  assert.deepEqual([waiting.isWaitedFor(a), waiting.isWaiting(b), waiting.isWaiting(a)], [true, true, false]);
  assert.deepEqual([...waiting.takeWaitersOf(a)], [b, c]);
  assert.deepEqual([waiting.isWaitedFor(a), waiting.isWaiting(b)], [false, false]);
  assert.deepEqual([...waiting.takeWaitersOf(a)], []);
});

test("who left is still told: it may have been decided on before what it waited for was there", () => {
  const waiting = new Waiting();
  waiting.add(b, a);
  waiting.leave(b);
  assert.equal(waiting.isWaiting(b), false);
  assert.deepEqual([...waiting.takeWaitersOf(a)], [b]);
});
