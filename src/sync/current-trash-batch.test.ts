import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { CurrentTrashBatch } from "./current-trash-batch.ts";

test("what goes within two seconds of the first is one batch, which is named after when it began", () => {
  const clock = new FakeClock(Date.UTC(2024, 0, 1));
  const batch = new CurrentTrashBatch(clock);
  const first = "2024-01-01T00-00-00.000Z";
  assert.equal(batch.name, first);
  clock.advance(2_000);
  assert.equal(batch.name, first);
  clock.advance(1);
  assert.equal(batch.name, "2024-01-01T00-00-02.001Z");
});
