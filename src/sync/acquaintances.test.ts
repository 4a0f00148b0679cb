import assert from "node:assert/strict";
import { test } from "node:test";
import { peerIdFromBytes, type PeerId } from "../core/ids.ts";
import { ACQUAINTANCES_MAX } from "../core/limits.ts";
import { Acquaintances } from "./acquaintances.ts";

function peer(number: number): PeerId {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(number);
  return peerIdFromBytes(bytes);
}

test("a peer is new once", () => {
  const acquaintances = new Acquaintances();
  assert.deepEqual(
    [peer(1), peer(2), peer(1), peer(2)].map((id) => acquaintances.meet(id)),
    [true, true, false, false],
  );
});

test("identities without end are forgotten again, the one that keeps coming back is not", () => {
  const acquaintances = new Acquaintances();
  acquaintances.meet(peer(0));
  for (let number = 1; number <= 2 * ACQUAINTANCES_MAX; number++) {
    assert.equal(acquaintances.meet(peer(number)), true);
    if (number % 100 === 0) assert.equal(acquaintances.meet(peer(0)), false);
  }
  assert.equal(acquaintances.meet(peer(1)), true, "forgotten");
});
