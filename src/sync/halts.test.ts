import assert from "node:assert/strict";
import { test } from "node:test";
import { Halts } from "./halts.ts";

test("it pauses with the first that is held up, and goes on with the last", () => {
  const told: string[] = [];
  const halts = new Halts((event) => told.push(event.kind === "halted" ? `halted: ${event.reason}` : event.kind));
  halts.resume("index");
  assert.deepEqual([halts.reason, told], [undefined, []]);
  halts.halt("transfer", "No space left.");
  halts.halt("index", "Cannot commit.");
  halts.halt("index", "Still cannot commit.");
  assert.deepEqual([halts.reason, told], ["No space left.", ["halted: No space left."]]);
  halts.resume("transfer");
  halts.resume("transfer");
  assert.deepEqual([halts.reason, told.length], ["Still cannot commit.", 1]);
  halts.resume("index");
  assert.deepEqual([halts.reason, told], [undefined, ["halted: No space left.", "resumed"]]);
});
