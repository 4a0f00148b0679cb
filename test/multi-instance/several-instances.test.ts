// More than two replicas: everyone with everyone, and a change that reaches C only through B.

import assert from "node:assert/strict";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { machines, type Machine } from "../support/machines.ts";
import { incompressible, waitForEqualTrees, writeFiles } from "../support/trees.ts";

test("three peers, each connected to each", async (t) => {
  const [a, b, c] = machines(t, 3) as [Machine, Machine, Machine];
  writeFiles(a.folder, { "from-a.txt": "a", "big.bin": incompressible(3_000_000, 5) });
  writeFiles(b.folder, { "from-b.txt": "b" });
  writeFiles(c.folder, { "from-c.txt": "c" });
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await c.start({ peers: [a.instance.port, b.instance.port] });
  const all = [a, b, c];
  await waitForEqualTrees(all.map(({ folder }) => folder));
  const statuses = await Promise.all(all.map(({ instance }) => instance.waitForSync({ peers: 2 })));
  assert.equal(new Set(statuses.map(({ merkleRoot }) => merkleRoot)).size, 1);
  fs.writeFileSync(join(b.folder, "later.txt"), "later");
  fs.rmSync(join(c.folder, "from-a.txt"));
  await waitForEqualTrees(all.map(({ folder }) => folder));
});

test("a change reaches C through B", async (t) => {
  const [a, b, c] = machines(t, 3) as [Machine, Machine, Machine];
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await c.start({ peers: [b.instance.port] });
  writeFiles(a.folder, { "small.txt": "small", "big.bin": incompressible(2_000_000, 6) });
  const folders = [a.folder, b.folder, c.folder];
  await waitForEqualTrees(folders);
  fs.writeFileSync(join(c.folder, "small.txt"), "edited at the far end");
  await waitForEqualTrees(folders);
  assert.equal(fs.readFileSync(join(a.folder, "small.txt"), "utf8"), "edited at the far end");
  fs.rmSync(join(a.folder, "big.bin"));
  await waitForEqualTrees(folders);
  assert.equal((await c.instance.status()).peers.length, 1);
});

test("content comes from whoever has it when its maker is gone", async (t) => {
  const [a, b, c] = machines(t, 3) as [Machine, Machine, Machine];
  writeFiles(a.folder, { "dir/file.bin": incompressible(1_000_000, 7) });
  await a.start();
  await b.start({ peers: [a.instance.port] });
  await waitForEqualTrees([a.folder, b.folder]);
  await b.instance.waitForSync();
  await a.kill();
  await c.start({ peers: [b.instance.port] });
  await waitForEqualTrees([b.folder, c.folder]);
});
