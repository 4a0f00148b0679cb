import assert from "node:assert/strict";
import { test } from "node:test";
import { replicaIdOf } from "../../test/support/replica-world.ts";
import { loadBlake3 } from "../content/blake3.ts";
import { createMemoryStore } from "../index/memory-store.ts";
import { MemoryTables } from "../index/memory-tables.ts";
import { traitsOf } from "./disk-traits.ts";

const blake3 = loadBlake3({ portable: false });

test("while nothing can be tried on a disk, what the last trial showed counts, after a restart too", () => {
  for (const keepsModes of [true, false]) {
    for (const hasCoarseTimes of [true, false]) {
      const tables = new MemoryTables();
      const open = () => createMemoryStore({ replicaId: replicaIdOf(1), hash: (bytes) => blake3.hash(bytes), tables });
      const found = { keepsModes, hasCoarseTimes };
      assert.deepEqual(traitsOf(open(), undefined), { keepsModes: true, hasCoarseTimes: true });
      assert.deepEqual(traitsOf(open(), { keepsModes: !keepsModes, hasCoarseTimes }), {
        keepsModes: !keepsModes,
        hasCoarseTimes,
      });
      assert.deepEqual(traitsOf(open(), found), found);
      assert.deepEqual(traitsOf(open(), undefined), found);
    }
  }
});
