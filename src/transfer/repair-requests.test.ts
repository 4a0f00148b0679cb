import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf } from "../../test/support/replica-world.ts";
import { RepairRequests } from "./repair-requests.ts";

const [A, DEEP, DEEPER] = [pathOf("a"), pathOf("a/deep"), pathOf("a/deep/er")];

test("a repair is asked for at once, or put off while entries arrive", () => {
  let isComparing = true;
  const repaired: string[] = [];
  const requests = new RepairRequests({ isComparing: () => isComparing, onRepair: (path) => repaired.push(path) });
  requests.add(A);
  assert.deepEqual([repaired, requests.has(A)], [[], true]);
  assert.deepEqual([requests.takePutOff(), requests.takePutOff()], [[A], []]);
  isComparing = false;
  requests.add(DEEP);
  assert.deepEqual([repaired, requests.takePutOff()], [[DEEP], []]);
});

test("what is directly in a directory that is to be repaired may be the last of it", () => {
  const requests = new RepairRequests({ isComparing: () => false, onRepair: () => {} });
  assert.equal(requests.above(DEEP), undefined);
  requests.add(A);
  assert.deepEqual([requests.above(DEEP), requests.above(DEEPER), requests.above(A)], [A, undefined, undefined]);
  assert.deepEqual([requests.delete(A), requests.delete(A), requests.above(DEEP)], [true, false, undefined]);
});
